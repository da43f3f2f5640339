import { hash } from 'node:crypto'

/** The one channel that all topics share, so that listening to one more topic costs nothing. */
export const CHANNEL = 'holdfast'

/** The longest topic that is sent as it is, in characters; a notification carries 8,000 bytes. */
const MAX_LENGTH = 200

/** What stands for a topic in a notification. */
export function payloadOf(topic: string): string {
  return topic.length <= MAX_LENGTH ? topic : hash('sha256', topic)
}
