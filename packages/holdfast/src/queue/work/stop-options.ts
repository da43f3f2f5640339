import { type Issue, ValidationError } from '../../base/errors.ts'
import { checkKnown, describe } from '../../schema/index.ts'

/** How workers are stopped. */
export interface StopOptions {
  /** How long handlers that run may go on before their signals abort; 30 s unless given. */
  readonly timeoutMs?: number
}

const DEFAULT_STOP_MS = 30_000

/**
 * How long handlers that run may go on.
 *
 * @throws ValidationError for an unknown option, and for what is no time; the workers go on.
 */
export function stopTimeoutMs(options: StopOptions): number {
  const issues: Issue[] = []
  checkKnown(options, ['timeoutMs'], '', issues)
  const { timeoutMs = DEFAULT_STOP_MS } = options ?? {}
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0))
    issues.push({ path: 'timeoutMs', reason: `must be a number from 0 on, got ${describe(timeoutMs)}` })
  if (issues.length > 0) throw new ValidationError('Stopping was refused', issues)
  return timeoutMs
}
