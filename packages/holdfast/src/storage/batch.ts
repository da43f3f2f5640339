import { ValidationError } from '../base/errors.ts'
import { describe } from '../schema/index.ts'

/** One operation of a batch. */
export type BatchOperation =
  | { readonly insert: string; readonly values: object | readonly object[] }
  | { readonly update: string; readonly id: unknown; readonly set: object; readonly ifVersion?: number }
  | { readonly delete: string; readonly id: unknown }
  | {
      readonly enqueue: string
      readonly data: unknown
      readonly runAt?: Date
      readonly delayMs?: number
      readonly priority?: number
      readonly key?: string
      readonly maxAttempts?: number
    }

/** What a batch runs on: a transaction, seen without types. */
export interface BatchTarget {
  repository(name: string): {
    create(values: object): Promise<unknown>
    createMany(values: readonly object[]): Promise<unknown>
    update(id: unknown, set: object, options: { readonly ifVersion?: number }): Promise<unknown>
    delete(id: unknown): Promise<unknown>
  }
  queue(name: string): { enqueue(data: unknown, options: object): Promise<unknown> }
}

/**
 * Runs the operations of a batch in order on a transaction. An update may take several statements, so what follows waits for it; the others
 * are sent without waiting for one before the next.
 *
 * @returns what each gave: the record, the records, whether it was deleted, the job.
 * @throws ValidationError for an operation that is none.
 */
export async function runBatch(target: BatchTarget, operations: readonly BatchOperation[]): Promise<unknown[]> {
  if (!Array.isArray(operations)) {
    throw new ValidationError('The batch was refused', [
      { path: '', reason: `must be a list of operations, got ${describe(operations)}` },
    ])
  }
  const given: Promise<unknown>[] = []
  for (const [index, operation] of operations.entries()) {
    given.push(run(target, operation, index))
    if (isUpdate(operation)) await Promise.all(given)
  }
  return Promise.all(given)
}

function isUpdate(operation: unknown): boolean {
  return typeof operation === 'object' && operation !== null && 'update' in operation
}

/** @throws ValidationError for what is no operation. */
async function run(target: BatchTarget, operation: BatchOperation, index: number): Promise<unknown> {
  if (typeof operation !== 'object' || operation === null) throw refused(operation, index)
  if ('insert' in operation) {
    const { insert, values } = operation
    return Array.isArray(values)
      ? target.repository(insert).createMany(values)
      : target.repository(insert).create(values)
  }
  if ('update' in operation) {
    const { update, id, set, ifVersion } = operation
    return target.repository(update).update(id, set, ifVersion === undefined ? {} : { ifVersion })
  }
  if ('delete' in operation) return target.repository(operation.delete).delete(operation.id)
  if ('enqueue' in operation) {
    const { enqueue, data, ...options } = operation
    return target.queue(enqueue).enqueue(data, options)
  }
  throw refused(operation, index)
}

function refused(operation: unknown, index: number): ValidationError {
  const reason = `must be an insert, an update, a delete or an enqueue, got ${describe(operation)}`
  return new ValidationError('The batch was refused', [{ path: String(index), reason }])
}
