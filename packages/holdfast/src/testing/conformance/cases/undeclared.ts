import assert from 'node:assert/strict'
import { defineSchema, documents, t, table } from '../../../schema/index.ts'
import { pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  users: table({ id: t.integer().primaryKey(), name: t.text() }),
  userNotes: documents<{ text: string }>(),
})

export const undeclaredCases: readonly ConformanceCase[] = [
  {
    id: 'undeclared/first-use',
    title: 'A name that the schema does not declare is a documents collection, made when it is first used',
    async run({ open }) {
      const storage = await open(schema)
      const notes = storage.repository<{ text: string }>('notes')
      assert.deepEqual(await notes.find(), [])
      const made = await notes.create({ text: 'a' })
      assert.deepEqual(await storage.repository<{ text: string }>('notes').find({ where: { text: 'a' } }), [made])
      assert.equal(await storage.repository('others').count(), 0)
      assert.equal(await storage.repository('users').count(), 0)
    },
  },
  {
    id: 'undeclared/at-once',
    title: 'Twenty first uses at once make one collection',
    async run({ open }) {
      const storage = await open(schema)
      await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          storage.repository<{ n: number }>(n % 2 === 0 ? 'even' : 'odd').create({ n }),
        ),
      )
      assert.equal(await storage.repository('even').count(), 10)
      assert.equal(await storage.repository('odd').count(), 10)
    },
  },
  {
    id: 'undeclared/transaction',
    title: 'A collection may be first used in a transaction, and again after that was rolled back',
    async run({ open }) {
      const storage = await open(schema)
      const work = storage.transaction(async (tx) => {
        await tx.repository('notes').create({ text: 'undone' })
        await tx.repository('users').create({ id: 1, name: 'undone' })
        throw new Error('mine')
      })
      await assert.rejects(work, /mine/)
      assert.deepEqual(await storage.repository('notes').find(), [])
      await storage.transaction(async (tx) => {
        await tx.repository('more').create({ id: 'a' })
        await tx.transaction((inner) => inner.repository('most').create({ id: 'b' }))
        await tx.repository('notes').create({ id: 'c' })
      })
      for (const name of ['more', 'most', 'notes']) assert.equal(await storage.repository(name).count(), 1, name)
      assert.equal(await storage.repository('users').count(), 0)
    },
  },
  {
    id: 'undeclared/names',
    title: 'A collection may have any name that a table may have',
    async run({ open }) {
      const storage = await open(schema)
      const names = [
        'order',
        'select',
        'my notes',
        `it's "quoted"`,
        'camelCase',
        '😀',
        '名前',
        '1',
        'x'.repeat(63),
        '-- x',
      ]
      for (const name of names) await storage.repository<{ name: string }>(name).create({ name })
      for (const name of names)
        assert.deepEqual(pick(await storage.repository<{ name: string }>(name).find(), 'name'), [name])
      for (const name of ['', 'a.b', 'a\0b', '\ud800', '__proto__', 'constructor', 'x'.repeat(64), 'and']) {
        await refused(() => storage.repository(name).count(), 'CONFIGURATION')
      }
      for (const name of [null, 5, {}, []])
        await refused(() => storage.repository(wrong(name)).count(), 'CONFIGURATION')
    },
  },
  {
    id: 'undeclared/same-table',
    title: 'A name that would be the table of another model is refused before anything is read or written',
    async run({ open }) {
      const storage = await open(schema)
      await storage.repository('userNotes').create({ id: 'a', text: 'a' })
      await storage.repository('Things').create({ id: 'a' })
      for (const name of ['Users', 'user_notes', 'UserNotes', 'things']) {
        await refused(() => storage.repository(name).create({ id: 'b', text: 'b' }), 'CONFIGURATION')
      }
      assert.equal(await storage.repository('userNotes').count(), 1)
      assert.equal(await storage.repository('users').count(), 0)
    },
  },
  {
    id: 'undeclared/off',
    title: 'Without autoCreate an undeclared name is refused, and the error lists what is declared',
    needs: ['persistent'],
    async run({ open }) {
      await (await open(schema)).close()
      const storage = await open(schema, { autoCreate: false })
      const error = await refused(() => storage.repository('notes').find(), 'CONFIGURATION')
      assert.match(error.message, /it has users, userNotes\.$/)
      await refused(() => storage.transaction((tx) => tx.repository('notes').find()), 'CONFIGURATION')
    },
  },
  {
    id: 'undeclared/kept',
    title: 'A collection that nobody declared is there when the database is opened again',
    needs: ['persistent'],
    async run({ open }) {
      const before = await open(schema)
      const made = await before.repository('notes').create({ text: 'a' })
      await before.close()
      const after = await open(schema)
      assert.deepEqual(await after.repository('notes').find(), [made])
    },
  },
]
