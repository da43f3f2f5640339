import type { Wire } from './driver.ts'

/** Beyond so much together, putting messages into one piece would cost more than it saves. */
const LARGE_BYTES = 64 * 1024

/**
 * Messages that leave together, and in one piece where they are small: Node takes about 10 us longer to hand the system the three or more pieces of a
 * statement than one.
 */
export class Packet {
  /** The connection of `pg`, but that what is written to it waits here. */
  readonly wire: Wire
  readonly #connection: Wire
  #messages: Uint8Array[] = []

  constructor(connection: Wire) {
    this.#connection = connection
    const stream = { writable: true, write: (message: Uint8Array) => this.#messages.push(message) > 0 }
    this.wire = Object.create(connection, { stream: { value: stream } }) as Wire
  }

  /** Sends what was written. */
  send(): void {
    const { stream } = this.#connection
    const messages = this.#messages
    this.#messages = []
    let bytes = 0
    for (const { length } of messages) bytes += length
    if (bytes <= LARGE_BYTES) {
      stream.write(Buffer.concat(messages, bytes))
      return
    }
    stream.cork()
    for (const message of messages) stream.write(message)
    stream.uncork()
  }

  /** Forgets what was written. */
  discard(): void {
    this.#messages = []
  }
}
