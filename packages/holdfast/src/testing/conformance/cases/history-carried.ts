import assert from 'node:assert/strict'
import type { LiveRepository } from '../../../changes/index.ts'
import { defineSchema, type Schema, t, table } from '../../../schema/index.ts'
import type { Statement } from '../../../statement/index.ts'
import { pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

type Fields = Record<string, string | null>
type Untyped = LiveRepository<Fields, Fields, string, Schema, Record<never, never>>

/** The versions of a record, as `version operation`. */
async function operations(
  repository: { history(id: never): Promise<{ version: number; operation: string }[]> },
  id: unknown,
) {
  return (await repository.history(wrong(id))).map(({ version, operation }) => `${version} ${operation}`)
}

/** Whether a statement is the transaction's own, and not of what settles in the background meanwhile. */
function isOwn(statement: Statement): boolean {
  if (statement.model === 'holdfastHistoryHeads') return false
  return !statement.model.endsWith('History') || (statement.kind === 'insert' && statement.onConflict === undefined)
}

export const historyCarriedCases: readonly ConformanceCase[] = [
  {
    id: 'history/cascades',
    title: 'Records that foreign keys delete, set to null or give a new key have their versions too, however deep',
    async run({ open }) {
      const family = defineSchema({
        teams: table({ id: t.text().primaryKey() }),
        users: table({
          id: t.text().primaryKey(),
          team: t.text().references('teams', { onDelete: 'cascade', onUpdate: 'cascade' }),
        }),
        notes: table(
          {
            id: t.text().primaryKey(),
            author: t.text().nullable().references('users', { onDelete: 'setNull' }),
            owner: t.text().references('users', { onDelete: 'cascade' }),
          },
          { history: true },
        ),
        marks: table(
          {
            id: t.text().primaryKey(),
            team: t.text().nullable().references('teams', { onDelete: 'setNull', onUpdate: 'cascade' }),
          },
          { history: true },
        ),
        parts: table(
          { id: t.text().primaryKey(), parent: t.text().nullable().references('parts', { onDelete: 'cascade' }) },
          { history: true },
        ),
      })
      const storage = await open(family)
      const of = (name: string) => storage.repository(wrong(name)) as unknown as Untyped
      const [teams, users, notes, marks, parts] = [of('teams'), of('users'), of('notes'), of('marks'), of('parts')]
      await teams.createMany([{ id: 't1' }, { id: 't2' }])
      await users.createMany([
        { id: 'u1', team: 't1' },
        { id: 'u2', team: 't1' },
        { id: 'u3', team: 't2' },
      ])
      await notes.createMany([
        { id: 'n1', author: 'u1', owner: 'u3' },
        { id: 'n2', author: 'u3', owner: 'u2' },
        { id: 'n3', author: 'u1', owner: 'u1' },
        { id: 'n4', author: null, owner: 'u3' },
      ])
      await marks.createMany([
        { id: 'm1', team: 't1' },
        { id: 'm2', team: 't2' },
      ])
      await teams.update('t1', wrong({ id: 't9' }))
      assert.deepEqual(
        (await marks.history('m1')).map(({ record }) => record['team']),
        ['t1', 't9'],
      )
      await storage.as('kim').repository('teams').deleteMany({ id: 't9' })
      assert.deepEqual(await operations(wrong(marks), 'm1'), ['1 create', '2 update', '3 update'])
      assert.equal((await marks.history('m1'))[2]?.record['team'], null)
      assert.deepEqual(await operations(wrong(marks), 'm2'), ['1 create'])
      const [, cut] = await notes.history('n1')
      assert.deepEqual(
        [cut?.operation, cut?.actor, cut?.record['author'], cut?.record['owner']],
        ['update', 'kim', null, 'u3'],
      )
      assert.deepEqual(await operations(wrong(notes), 'n2'), ['1 create', '2 delete'])
      assert.deepEqual(await operations(wrong(notes), 'n3'), ['1 create', '2 delete'])
      assert.deepEqual(await operations(wrong(notes), 'n4'), ['1 create'])
      // What is stored is what the last versions say.
      assert.deepEqual(await notes.find(), [
        { id: 'n1', author: null, owner: 'u3' },
        { id: 'n4', author: null, owner: 'u3' },
      ])
      await parts.createMany([
        { id: 'p1', parent: null },
        { id: 'p2', parent: 'p1' },
        { id: 'p3', parent: 'p2' },
        { id: 'p4', parent: null },
      ])
      await parts.update('p1', wrong({ parent: 'p3' }))
      let statements = 0
      const end = storage.onStatement((statement) => {
        if (isOwn(statement)) statements++
      })
      await parts.delete('p2')
      end()
      assert.ok(statements <= 7, `a ring of three took ${statements} statements`)
      assert.deepEqual(pick(await parts.find(), 'id'), ['p4'])
      for (const id of ['p1', 'p2', 'p3']) assert.equal((await parts.history(id)).at(-1)?.operation, 'delete', id)
      assert.deepEqual(await operations(wrong(parts), 'p2'), ['1 create', '2 delete'])
    },
  },
  {
    id: 'history/key-changed',
    title: 'A record that is given another key ends there and begins anew',
    async run({ open }) {
      const storage = await open(
        defineSchema({ plans: table({ id: t.text().primaryKey(), name: t.text() }, { history: true }) }),
      )
      const plans = storage.repository('plans')
      await plans.create({ id: 'a', name: 'x' })
      await plans.update('a', wrong({ id: 'b' }))
      await plans.updateMany({ id: 'b' }, wrong({ name: 'y', id: 'b' }))
      assert.deepEqual(await operations(plans, 'a'), ['1 create', '2 delete'])
      assert.deepEqual(await operations(plans, 'b'), ['1 create', '2 update'])
      await refused(() => plans.upsert({ id: 'b', name: 'z' }, { update: wrong({ id: 'c' }) }), 'CONFIGURATION')
      assert.equal((await plans.getById('b')).name, 'y')
    },
  },
]
