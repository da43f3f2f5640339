import { acceptResult } from '../job/payload.ts'
import type { QueueScope } from '../job/scope.ts'
import { Discard, Snooze } from './endings.ts'
import { storableJson } from './handler.ts'

/**
 * The result of a job, as it is kept, by what its handler gave.
 *
 * @throws what the handler gave to end the attempt in another way; ValidationError and TypeError for what cannot be kept.
 */
export function resultOf({ declaration, queue }: QueueScope, given: unknown): unknown {
  if (given instanceof Snooze || given instanceof Discard) throw given
  return storableJson(acceptResult(declaration, queue, given), 'result')
}
