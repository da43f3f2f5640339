import { type Issue, StorageError, ValidationError } from '../base/errors.ts'
import type { EnqueueOptions, Job } from '../queue/index.ts'
import {
  checkKnown,
  describe,
  type ModelName,
  type QueueName,
  type Row,
  type Schema,
  unreadable,
} from '../schema/index.ts'
import { isPlainObject } from '../statement/index.ts'
import type { QueueData, QueueResult } from './stores.ts'

/**
 * One operation of a batch: a record or several to insert, a change or a removal of one record, or a job to enqueue with its options.
 *
 * @example
 * ```ts
 * const operations: BatchOperation[] = [
 *   { update: 'plans', id: 'p1', set: { status: 'queued' }, ifVersion: 3 },
 *   { enqueue: 'execute', data: { planId: 'p1' }, key: 'p1', group: 'plans' },
 * ]
 * ```
 */
export type BatchOperation =
  | { readonly insert: string; readonly values: object | readonly object[] }
  | { readonly update: string; readonly id: unknown; readonly set: object; readonly ifVersion?: number }
  | { readonly delete: string; readonly id: unknown }
  | ({ readonly enqueue: string; readonly data: unknown } & EnqueueOptions)

/** Refuses members that no operation has, which inference alone would let pass. */
export type OnlyOperations<Operations> = {
  readonly [Index in keyof Operations]: {
    readonly [Member in Exclude<keyof Operations[Index], MemberOf<BatchOperation>>]: never
  }
}

type MemberOf<Operation> = Operation extends unknown ? keyof Operation : never

/** What the operations of a batch give, in their order. */
export type BatchResults<S extends Schema, Operations extends readonly BatchOperation[]> = {
  -readonly [Index in keyof Operations]: BatchResult<S, Operations[Index]>
}

type BatchResult<S extends Schema, Operation> = Operation extends { readonly delete: string }
  ? boolean
  : Operation extends { readonly update: infer Name }
    ? RecordOf<S, Name>
    : Operation extends { readonly insert: infer Name; readonly values: infer Values }
      ? Values extends readonly unknown[]
        ? RecordOf<S, Name>[]
        : RecordOf<S, Name>
      : Operation extends { readonly enqueue: infer Name }
        ? JobIn<S, Name>
        : unknown

type RecordOf<S extends Schema, Name> = Name extends ModelName<S> ? Row<S, Name> : Record<string, unknown>

type JobIn<S extends Schema, Name> = Name extends QueueName<S> ? Job<QueueData<S, Name>, QueueResult<S, Name>> : Job

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

/** What each kind of operation may hold besides its kind. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  insert: ['values'],
  update: ['id', 'set', 'ifVersion'],
  delete: ['id'],
  enqueue: [],
}

/**
 * Runs the operations of a batch in order on a transaction. An update may take several statements, so what follows waits for it; the others
 * are sent without waiting for one before the next.
 *
 * @returns what each gave: the record, the records, whether it was deleted, the job.
 * @throws ValidationError for an unknown operation, before any of them has run.
 */
export async function runBatch(target: BatchTarget, operations: readonly BatchOperation[]): Promise<unknown[]> {
  const given: Promise<unknown>[] = []
  for (const operation of operations) {
    given.push(run(target, operation))
    if ('update' in operation) await valuesOf(given)
  }
  return valuesOf(given)
}

/** @throws the error of the first operation that failed, whichever was told first; others may have failed with it. */
function valuesOf(given: readonly Promise<unknown>[]): Promise<unknown[]> {
  return Promise.all(given).catch(async () => {
    const settled = await Promise.allSettled(given)
    const errors = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    throw errors.find((error) => !(error instanceof StorageError && error.code === 'TRANSACTION_FAILED')) ?? errors[0]
  })
}

/**
 * Checks that a batch is a list of operations, and copies it: what is looked at twice may change.
 *
 * @throws ValidationError naming every unknown operation, and members that it does not have.
 */
export function acceptBatch(operations: unknown): BatchOperation[] {
  const issues: Issue[] = []
  try {
    if (!Array.isArray(operations))
      issues.push({ path: '', reason: `must be a list of operations, got ${describe(operations)}` })
    else {
      const accepted = Array.from(operations, (operation: unknown, index) =>
        acceptOperation(operation, String(index), issues),
      )
      if (issues.length === 0) return accepted
    }
  } catch (error) {
    throw unreadable(error, SUBJECT, { '': operations })
  }
  throw new ValidationError(SUBJECT, issues)
}

const SUBJECT = 'The batch was refused'

function acceptOperation(operation: unknown, path: string, issues: Issue[]): BatchOperation {
  const copy = isPlainObject(operation) ? { ...operation } : {}
  const kinds = Object.keys(MEMBERS).filter((kind) => copy[kind] !== undefined)
  const [kind] = kinds
  if (kind === undefined || kinds.length > 1) {
    issues.push({ path, reason: `must be an insert, an update, a delete or an enqueue, got ${describe(operation)}` })
  } else {
    if (typeof copy[kind] !== 'string')
      issues.push({ path: `${path}.${kind}`, reason: `must be a name, got ${describe(copy[kind])}` })
    if (kind === 'insert' && !Array.isArray(copy['values']) && !isPlainObject(copy['values'])) {
      const reason = `must be a record or a list of them, got ${describe(copy['values'])}`
      issues.push({ path: `${path}.values`, reason })
    }
    // The options of a job are checked by its queue.
    if (kind !== 'enqueue') checkKnown(copy, [kind, ...(MEMBERS[kind] as readonly string[])], `${path}.`, issues)
  }
  for (const other of Object.keys(MEMBERS)) if (copy[other] === undefined) delete copy[other]
  return copy as unknown as BatchOperation
}

async function run(target: BatchTarget, operation: BatchOperation): Promise<unknown> {
  if ('insert' in operation) {
    const { insert, values } = operation
    return Array.isArray(values)
      ? target.repository(insert).createMany(values)
      : target.repository(insert).create(values as object)
  }
  if ('update' in operation) {
    const { update, id, set, ifVersion } = operation
    return target.repository(update).update(id, set, ifVersion === undefined ? {} : { ifVersion })
  }
  if ('delete' in operation) return target.repository(operation.delete).delete(operation.id)
  const { enqueue, data, ...options } = operation
  return target.queue(enqueue).enqueue(data, options)
}
