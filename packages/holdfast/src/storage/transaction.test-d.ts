// Type tests: `tsc`, which `npm test` runs first, is what checks them.
import { expectTypeOf, test } from 'vitest'
import { defineSchema, t, table } from '../schema/index.ts'
import type { Storage } from './index.ts'

const schema = defineSchema({ runs: table({ id: t.id() }) })
declare const storage: Storage<typeof schema>

test('a transaction gives what its function gives, or resolves to', async () => {
  expectTypeOf(await storage.transaction(() => 5)).toEqualTypeOf<number>()
  expectTypeOf(await storage.transaction(async () => 'text')).toEqualTypeOf<string>()
  expectTypeOf(await storage.transaction((tx) => tx.transaction(() => 5))).toEqualTypeOf<number>()
  expectTypeOf(await storage.transaction((tx) => tx.afterCommit(async () => 5))).toEqualTypeOf<void>()
})
