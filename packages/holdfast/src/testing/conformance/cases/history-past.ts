import assert from 'node:assert/strict'
import { increment } from '../../../repository/index.ts'
import { defineSchema, documents, t, table } from '../../../schema/index.ts'
import { collect, pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  plans: table(
    { id: t.text().primaryKey(), name: t.text(), runs: t.integer().default(0), tags: t.json<string[]>().nullable() },
    { history: true, indexes: ['name'] },
  ),
  notes: documents<{ text: string; owner?: { team: string } }>({ history: true, indexes: ['owner.team'] }),
})

const START = Date.parse('2026-03-01T10:00:00Z')

/** A storage whose time a case sets; each write of it a second apart, where the case says so. */
async function openAt(open: Parameters<ConformanceCase['run']>[0]['open']) {
  const time = { now: START }
  const storage = await open(schema, { clock: { now: () => time.now } })
  return {
    storage,
    time,
    /** Lets a second pass, and gives the time before it. */
    tick() {
      time.now += 1_000
      return new Date(time.now - 1_000)
    },
  }
}

/** The versions of a record, as `version operation`. */
async function operations(
  repository: { history(id: never): Promise<{ version: number; operation: string }[]> },
  id: unknown,
) {
  return (await repository.history(wrong(id))).map(({ version, operation }) => `${version} ${operation}`)
}

export const historyPastCases: readonly ConformanceCase[] = [
  {
    id: 'history/as-of',
    title: 'The past is asked like the present, and answers what was there then',
    async run({ open }) {
      const { storage, tick } = await openAt(open)
      const plans = storage.repository('plans')
      const before = new Date(START - 1)
      await plans.createMany([
        { id: 'a', name: 'x', runs: 1 },
        { id: 'b', name: 'x', runs: 2 },
        { id: 'c', name: 'y', runs: 3 },
      ])
      const created = tick()
      await plans.updateMany({ name: 'x' }, { runs: increment(10) })
      const updated = tick()
      await plans.delete('a')
      await plans.update('b', { name: 'y' })
      const deleted = tick()
      await plans.create({ id: 'a', name: 'new' })
      const again = new Date(START + 3_000)

      const ids = async (at: Date, where = {}) => pick(await plans.asOf(at).find({ where }), 'id').join('')
      assert.deepEqual([await ids(before), await ids(created), await ids(deleted)], ['', 'abc', 'bc'])
      assert.deepEqual(
        [await ids(created, { name: 'x' }), await ids(deleted, { name: 'y' }), await ids(again, { name: 'new' })],
        ['ab', 'bc', 'a'],
      )
      assert.deepEqual(
        await plans.asOf(updated).find({ where: { runs: { gt: 5 } }, orderBy: { runs: 'desc' }, limit: 1 }),
        [{ id: 'b', name: 'x', runs: 12, tags: null }],
      )
      assert.deepEqual(await plans.asOf(updated).find({ select: ['runs'], where: { id: 'a' } }), [{ runs: 11 }])
      assert.equal((await plans.asOf(created).findById('a'))?.runs, 1)
      assert.equal(await plans.asOf(deleted).findById('a'), null)
      assert.equal((await plans.asOf(again).getById('a')).name, 'new')
      await refused(() => plans.asOf(before).getById('a'), 'NOT_FOUND')
      assert.equal((await plans.asOf(created).findOne({ where: { name: 'y' } }))?.id, 'c')
      assert.deepEqual([await plans.asOf(created).count(), await plans.asOf(deleted).count({ name: 'x' })], [3, 0])
      assert.deepEqual(
        [await plans.asOf(created).exists('a'), await plans.asOf(deleted).exists({ id: 'a' })],
        [true, false],
      )
      assert.deepEqual(pick(await collect(plans.asOf(created).stream({ orderBy: { id: 'desc' } })), 'id'), [
        'c',
        'b',
        'a',
      ])
      const page = await plans.asOf(created).page({ first: 2 })
      assert.deepEqual(pick(page.items, 'id'), ['a', 'b'])
      assert.deepEqual(pick((await plans.asOf(created).page({ first: 2, after: page.next })).items, 'id'), ['c'])
      const notes = storage.repository('notes')
      const { id } = await notes.create({ text: 'one', owner: { team: 'x' } })
      const written = tick()
      await notes.update(id, { owner: { team: 'y' } })
      assert.equal((await notes.asOf(written).find({ where: { 'owner.team': 'x' } })).length, 1)
      assert.equal(
        (await notes.asOf(new Date(written.getTime() + 1_000)).find({ where: { 'owner.team': 'x' } })).length,
        0,
      )
      assert.equal((await notes.asOf(written).getById(id)).version, 1)
    },
  },
  {
    id: 'history/revert',
    title: 'A record is made what it was in a version, as a new version; one that was deleted comes back',
    async run({ open }) {
      const { storage } = await openAt(open)
      const plans = storage.repository('plans')
      await plans.create({ id: 'a', name: 'one', tags: ['x'] })
      await plans.update('a', { name: 'two', tags: null })
      assert.deepEqual(await storage.as('kim').repository('plans').revert('a', 1), {
        id: 'a',
        name: 'one',
        runs: 0,
        tags: ['x'],
      })
      assert.equal((await plans.getById('a')).name, 'one')
      await plans.delete('a')
      await plans.revert('a', 2)
      assert.equal((await plans.getById('a')).name, 'two')
      assert.deepEqual(await operations(plans, 'a'), ['1 create', '2 update', '3 update', '4 delete', '5 create'])
      assert.equal((await plans.history('a'))[2]?.actor, 'kim')
      await refused(() => plans.revert('a', 9), 'NOT_FOUND')
      await refused(() => plans.revert('b', 1), 'NOT_FOUND')
      await refused(() => plans.revert('a', 4), { code: 'VALIDATION', paths: ['version'] })
      await refused(() => plans.revert('a', wrong('1')), { code: 'VALIDATION', paths: ['version'] })

      const notes = storage.repository('notes')
      const { id, createdAt } = await notes.create({ text: 'one' })
      await notes.update(id, { text: 'two' })
      const reverted = await notes.revert(id, 1)
      assert.deepEqual([reverted.text, reverted.version, reverted.createdAt], ['one', 3, createdAt])
      await storage.transaction(async (tx) => {
        await tx.repository('notes').revert(id, 2)
        assert.equal((await tx.repository('notes').getById(id)).text, 'two')
      })
      assert.equal((await notes.getById(id)).version, 4)
    },
  },
  {
    id: 'history/clock-back',
    title: 'A clock that is set back does not make a version begin before the one it replaces',
    async run({ open }) {
      const { storage, time } = await openAt(open)
      const plans = storage.repository('plans')
      await plans.create({ id: 'a', name: 'one' })
      time.now -= 60_000
      await plans.update('a', { name: 'two' })
      const [first, second] = await plans.history('a')
      assert.deepEqual([first?.validTo, second?.validFrom], [new Date(START), new Date(START)])
      assert.equal((await plans.asOf(new Date(START)).getById('a')).name, 'two')
    },
  },
  {
    id: 'history/pruned',
    title: 'Old versions are removed; present records keep their last one, and a past that is gone is refused',
    async run({ open }) {
      const { storage, tick } = await openAt(open)
      const plans = storage.repository('plans')
      await plans.createMany([
        { id: 'a', name: 'one' },
        { id: 'b', name: 'one' },
        { id: 'c', name: 'one' },
      ])
      const first = tick()
      await plans.update('a', { name: 'two' })
      await plans.delete('b')
      const second = tick()
      await plans.update('a', { name: 'three' })
      const third = tick()
      assert.equal(await plans.pruneHistory(first), 0)
      assert.equal(await plans.pruneHistory(new Date(second.getTime() + 1)), 3)
      assert.deepEqual(
        (await plans.history('a')).map(({ version, record }) => [version, record.name]),
        [
          [2, 'two'],
          [3, 'three'],
        ],
      )
      assert.deepEqual([await operations(plans, 'b'), await operations(plans, 'c')], [[], ['1 create']])
      assert.deepEqual(pick(await plans.asOf(third).find(), 'name'), ['three', 'one'])
      await refused(() => plans.asOf(first).find(), { code: 'VALIDATION', paths: ['date'] })
      await refused(() => plans.pruneHistory(wrong('yesterday')), { code: 'VALIDATION', paths: ['before'] })
    },
  },
]
