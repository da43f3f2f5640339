import assert from 'node:assert/strict'
import { increment } from '../../../repository/index.ts'
import { defineSchema, documents, t, table } from '../../../schema/index.ts'
import { pick, refusedWhole, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  rows: table({ id: t.integer().primaryKey(), n: t.integer().default(0) }, { versioned: true }),
  plain: table({ id: t.integer().primaryKey(), n: t.integer().default(0) }),
  docs: documents<{ n: number }>(),
})

export const versionCases: readonly ConformanceCase[] = [
  {
    id: 'versions/count',
    title: 'A version is 1 at first and counts every write, whichever way it is made',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      assert.equal((await rows.create({ id: 1 })).version, 1)
      assert.equal((await rows.update(1, { n: 1 })).version, 2)
      assert.equal((await rows.update(1, { n: increment(1) }, { ifVersion: 2 })).version, 3)
      await rows.updateMany({}, { n: 5 })
      assert.equal((await rows.upsert({ id: 1, n: 6 })).version, 5)
      assert.equal((await rows.upsert({ id: 1 }, { update: { n: 7 } })).version, 6)
      assert.deepEqual(await rows.getById(1), { id: 1, n: 7, version: 6 })
    },
  },
  {
    id: 'versions/conflict',
    title:
      'An update that asks for another version is a conflict and changes nothing; of a record that is gone, NotFoundError',
    async run({ open }) {
      const storage = await open(schema)
      const rows = storage.repository('rows')
      const docs = storage.repository('docs')
      await rows.create({ id: 1 })
      await docs.create({ id: 'a', n: 1 })
      await docs.update('a', { n: 2 })
      const conflict = { code: 'CONFLICT_VERSION', fields: ['version'] } as const
      await refusedWhole(rows, () => rows.update(1, { n: 9 }, { ifVersion: 2 }), { ...conflict, model: 'rows' })
      await refusedWhole(rows, () => rows.update(1, {}, { ifVersion: 0 }), { ...conflict, model: 'rows' })
      await refusedWhole(docs, () => docs.update('a', { n: 9 }, { ifVersion: 1 }), { ...conflict, model: 'docs' })
      await refusedWhole(rows, () => rows.update(2, { n: 9 }, { ifVersion: 1 }), { code: 'NOT_FOUND', model: 'rows' })
    },
  },
  {
    id: 'versions/race',
    title: 'Of 16 updates that all ask for one version one is made',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.create({ id: 1 })
      const outcomes = await Promise.allSettled(
        Array.from({ length: 16 }, (_, n) => rows.update(1, { n }, { ifVersion: 1 })),
      )
      const failures = outcomes.filter((outcome) => outcome.status === 'rejected')
      assert.deepEqual(
        failures.map(({ reason }) => reason.code),
        Array.from({ length: 15 }, () => 'CONFLICT_VERSION'),
      )
      assert.deepEqual(pick(await rows.find(), 'version'), [2])
    },
  },
  {
    id: 'versions/refused',
    title:
      'A version that is not a whole number, a version that is given, and ifVersion where none is kept are refused',
    async run({ open }) {
      const storage = await open(schema)
      const rows = storage.repository('rows')
      const plain = storage.repository('plain')
      const docs = storage.repository('docs')
      await rows.create({ id: 1 })
      await plain.create({ id: 1 })
      await docs.create({ id: 'a', n: 1 })
      for (const version of ['1', 1.5, Number.NaN, null, 1n, {}]) {
        await refusedWhole(rows, () => rows.update(1, { n: 1 }, { ifVersion: wrong(version) }), {
          code: 'VALIDATION',
          paths: ['ifVersion'],
        })
        await refusedWhole(docs, () => docs.update('a', { n: 1 }, { ifVersion: wrong(version) }), {
          code: 'VALIDATION',
          paths: ['ifVersion'],
        })
        await refusedWhole(rows, () => rows.create(wrong({ id: 2, version })), 'VALIDATION')
      }
      await refusedWhole(rows, () => rows.update(1, { version: 5 }), { code: 'VALIDATION', paths: ['version'] })
      await refusedWhole(plain, () => plain.update(1, { n: 1 }, { ifVersion: 1 }), {
        code: 'VALIDATION',
        paths: ['ifVersion'],
      })
    },
  },
]
