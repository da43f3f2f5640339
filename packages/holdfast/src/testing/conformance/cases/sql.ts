import assert from 'node:assert/strict'
import { defineSchema, documents, t, table } from '../../../schema/index.ts'
import { pick, refused } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  userNames: table({
    userId: t.integer().primaryKey(),
    fullName: t.text().unique(),
    age: t.integer().nullable().check({ gte: 0 }),
  }),
  sessions: table({ id: t.integer().primaryKey(), userId: t.integer().references('userNames') }),
  docs: documents<{ n: number }>(),
})

export const sqlCases: readonly ConformanceCase[] = [
  {
    id: 'sql/names',
    title: 'storage.sql writes names as in TypeScript, and reads and writes the tables of the repositories',
    needs: ['sql'],
    async run({ open }) {
      const storage = await open(schema)
      await storage.repository('userNames').create({ userId: 1, fullName: 'Kim', age: 7 })
      const inserted = await storage.sql
        .insertInto('userNames')
        .values({ userId: 2, fullName: "O'Lee", age: null })
        .executeTakeFirst()
      assert.equal(inserted.numInsertedOrUpdatedRows, 1n)
      const rows = await storage.sql
        .selectFrom('userNames')
        .select(['fullName', 'age'])
        .where('userId', '>=', 1)
        .orderBy('fullName')
        .execute()
      assert.deepEqual(
        rows.map(({ fullName, age }) => [fullName, age === null ? null : Number(age)]),
        [
          ['Kim', 7],
          ["O'Lee", null],
        ],
      )
      assert.deepEqual(pick(await storage.repository('userNames').find(), 'fullName'), ['Kim', "O'Lee"])
      const updated = await storage.sql
        .updateTable('userNames')
        .set({ age: 8 })
        .where('age', 'is', null)
        .executeTakeFirst()
      assert.equal(updated.numUpdatedRows, 1n)
      assert.equal((await storage.sql.deleteFrom('userNames').executeTakeFirst()).numDeletedRows, 2n)
    },
  },
  {
    id: 'sql/transaction',
    title: 'tx.sql runs in its transaction and is undone with it; a failure there fails the transaction',
    needs: ['sql'],
    async run({ open }) {
      const storage = await open(schema)
      const work = storage.transaction(async (tx) => {
        await tx.sql.insertInto('userNames').values({ userId: 1, fullName: 'a', age: null }).execute()
        assert.equal(await tx.repository('userNames').count(), 1)
        await tx.transaction((inner) =>
          inner.sql.insertInto('userNames').values({ userId: 2, fullName: 'b', age: null }).execute(),
        )
        throw new Error('mine')
      })
      await assert.rejects(work, /mine/)
      assert.equal(await storage.repository('userNames').count(), 0)
      await refused(
        () =>
          storage.transaction(async (tx) => {
            await refused(
              () => tx.sql.insertInto('sessions').values({ id: 1, userId: 9 }).execute(),
              'CONSTRAINT_FOREIGN_KEY',
            )
          }),
        'TRANSACTION_FAILED',
      )
    },
  },
  {
    id: 'sql/errors',
    title: 'Constraints that raw SQL breaks give the same errors; what the database does not understand is wrapped',
    needs: ['sql'],
    async run({ open }) {
      const storage = await open(schema)
      const { sql } = storage
      await storage.repository('userNames').create({ userId: 1, fullName: 'a' })
      const insert = (row: { userId: number; fullName: string; age: number | null }) => () =>
        sql.insertInto('userNames').values(row).execute()
      await refused(insert({ userId: 2, fullName: 'a', age: null }), {
        code: 'CONFLICT_UNIQUE',
        model: 'userNames',
        fields: ['fullName'],
      })
      await refused(insert({ userId: 1, fullName: 'b', age: null }), {
        code: 'CONFLICT_UNIQUE',
        model: 'userNames',
        fields: ['userId'],
      })
      await refused(insert({ userId: 2, fullName: 'b', age: -1 }), {
        code: 'CONSTRAINT_CHECK',
        model: 'userNames',
        fields: ['age'],
      })
      await refused(insert({ userId: 2, fullName: null as never, age: 1 }), {
        code: 'CONSTRAINT_NOT_NULL',
        model: 'userNames',
        fields: ['fullName'],
      })
      await refused(() => sql.insertInto('sessions').values({ id: 1, userId: 9 }).execute(), 'CONSTRAINT_FOREIGN_KEY')
      await refused(
        () =>
          sql
            .selectFrom('nope' as never)
            .selectAll()
            .execute(),
        'DRIVER',
      )
      assert.equal(await storage.repository('userNames').count(), 1)
    },
  },
  {
    id: 'sql/misuse',
    title: 'storage.sql inside a transaction, a transaction of its own and a closed storage are refused',
    needs: ['sql'],
    async run({ open }) {
      const storage = await open(schema)
      const count = () => storage.sql.selectFrom('userNames').select('userId').execute()
      await storage.transaction(async () => refused(count, 'TRANSACTION_MISUSE'))
      await refused(() => storage.sql.transaction().execute(async () => 1), 'TRANSACTION_MISUSE')
      await storage.close()
      await refused(count, 'CLOSED')
    },
  },
]
