// Type tests: `tsc`, which `npm test` runs first, is what checks them.
import { expectTypeOf, test } from 'vitest'
import type { Job } from '../queue/index.ts'
import { defineSchema, queue, type Row, t, table } from '../schema/index.ts'
import type { BatchOperation, Storage } from './index.ts'

const schema = defineSchema({
  runs: table({ id: t.id(), status: t.text() }),
  execute: queue<{ runId: string }, { ms: number }>(),
})
type Run = Row<typeof schema, 'runs'>
declare const storage: Storage<typeof schema>

test('a batch gives what each of its operations gives', async () => {
  const [one, several, changed, gone, job, other] = await storage.batch([
    { insert: 'runs', values: { status: 'pending' } },
    { insert: 'runs', values: [{ status: 'pending' }, { status: 'done' }] },
    { update: 'runs', id: 'r1', set: { status: 'done' }, ifVersion: 1 },
    { delete: 'runs', id: 'r2' },
    { enqueue: 'execute', data: { runId: 'r1' }, key: 'r1', onDuplicate: 'replace', group: 'runs', timeoutMs: 1_000 },
    { insert: 'undeclared', values: { any: 1 } },
  ])
  expectTypeOf(one).toEqualTypeOf<Run>()
  expectTypeOf(several).toEqualTypeOf<Run[]>()
  expectTypeOf(changed).toEqualTypeOf<Run>()
  expectTypeOf(gone).toEqualTypeOf<boolean>()
  expectTypeOf(job).toEqualTypeOf<Job<{ runId: string }, { ms: number }>>()
  expectTypeOf(other).toEqualTypeOf<Record<string, unknown>>()
})

test('a list of operations gives a list', async () => {
  const operations: BatchOperation[] = []
  for (const given of await storage.batch(operations)) expectTypeOf(given).not.toBeAny()
})

test('an option that jobs do not have is refused', () => {
  // @ts-expect-error a misspelt option
  storage.batch([{ enqueue: 'execute', data: { runId: 'r1' }, prioriti: 1 }])
})
