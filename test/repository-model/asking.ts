import { increment } from '../../packages/holdfast/src/index.ts'
import type { Call, Patch, Write } from './calls.ts'
import type { Fields, Name } from './schema.ts'

/** A repository, of which nothing more is known than this: the calls are made up. */
type Repository = Record<
  Exclude<Call['do'], 'pages' | 'stream'> | 'page',
  (...args: readonly unknown[]) => Promise<unknown>
> & { stream(query: object): AsyncIterable<unknown> }

/** A storage or a transaction. */
export interface Store {
  repository(model: Name): Repository
  transaction(work: (tx: Store) => Promise<void>): Promise<void>
}

/** A storage. */
export interface Root extends Store {
  batch(operations: readonly object[]): Promise<unknown>
}

/** Makes a call of a repository; a stream stops after its first record for `meanwhile`. */
export async function make(call: Call, on: Store, meanwhile: () => Promise<void>): Promise<unknown> {
  const repository = on.repository(call.model)
  switch (call.do) {
    case 'create':
      return repository.create(call.record)
    case 'createMany':
      return repository.createMany(call.records)
    case 'save':
      return repository.save(call.version === undefined ? call.record : { ...call.record, version: call.version })
    case 'upsert': {
      const { on: target, update } = call
      return repository.upsert(call.record, given({ on: target, update: update && patch(update) }))
    }
    case 'update':
      return repository.update(call.key, patch(call.patch), given({ ifVersion: call.ifVersion }))
    case 'updateMany':
      return repository.updateMany(call.where, patch(call.patch))
    case 'deleteMany':
    case 'count':
      return repository[call.do](call.where)
    case 'find':
    case 'findOne':
      return repository[call.do](call.query)
    case 'findByIds':
      return repository.findByIds(call.keys)
    case 'stream':
      return streamed(repository.stream(call.query), meanwhile)
    case 'pages':
      return pages(repository, call.query, call.first)
    default:
      return repository[call.do](call.key)
  }
}

/** The operation of a batch that does what a write does. */
export function operationOf(call: Write): object {
  switch (call.do) {
    case 'create':
      return { insert: call.model, values: call.record }
    case 'createMany':
      return { insert: call.model, values: call.records }
    case 'update':
      return given({ update: call.model, id: call.key, set: patch(call.patch), ifVersion: call.ifVersion })
    case 'delete':
      return { delete: call.model, id: call.key }
    default:
      throw new TypeError(`A batch knows no ${call.do}`)
  }
}

function patch({ set, add = {} }: Patch): Fields {
  const additions = Object.entries(add).map(([name, by]) => [name, increment(by as number)])
  return { ...set, ...Object.fromEntries(additions) }
}

/** What is given of some options. */
function given(options: Fields): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

async function streamed(records: AsyncIterable<unknown>, meanwhile: () => Promise<void>): Promise<unknown[]> {
  const read: unknown[] = []
  for await (const record of records) if (read.push(record) === 1) await meanwhile()
  return read
}

async function pages(repository: Repository, query: object, first: number): Promise<unknown[]> {
  const read: unknown[] = []
  for (let after: string | null = null, at = 0; at === 0 || after !== null; at++) {
    const page = (await repository.page({ ...query, first, after })) as { items: unknown[]; next: string | null }
    read.push(page.items)
    after = page.next
  }
  return read
}
