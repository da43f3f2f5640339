import { type Issue, ValidationError } from '../base/errors.ts'
import { describe } from '../schema/index.ts'
import { isPlainObject } from '../statement/index.ts'

/**
 * Checks what `storage.work` is given: by the name of each queue a handler, or an object with one.
 *
 * @throws ValidationError
 */
export function assertHandlers(handlers: unknown): void {
  const issues: Issue[] = []
  if (!isPlainObject(handlers))
    issues.push({ path: '', reason: `must be an object of handlers by their queues, got ${describe(handlers)}` })
  else
    for (const [queue, given] of Object.entries(handlers)) {
      if (isHandler(given)) continue
      const reason = `must be a function, or an object with one as its handler or many, got ${describe(given)}`
      issues.push({ path: queue, reason })
    }
  if (issues.length > 0) throw new ValidationError('The handlers were refused', issues)
}

function isHandler(given: unknown): boolean {
  if (typeof given === 'function') return true
  return isPlainObject(given) && [given['handler'], given['many']].some((handler) => typeof handler === 'function')
}
