import assert from 'node:assert/strict'
import { count } from '../../../repository/index.ts'
import { defineSchema, documents, t, table } from '../../../schema/index.ts'
import { collect, pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  users: table({ id: t.text().primaryKey(), team: t.text(), boss: t.text().nullable() }, { indexes: ['team'] }),
  visits: table({ id: t.integer().primaryKey(), userId: t.text() }, { indexes: ['userId'] }),
  notes: documents<{ by: string; reach?: number }>(),
})

type Open = Parameters<ConformanceCase['run']>[0]['open']

/** ann follows bob follows cid follows ann and dan; ann knows eve. */
async function openSocial(open: Open) {
  const storage = await open(schema)
  const social = storage.graph('social')
  const ids = ['ann', 'bob', 'cid', 'dan', 'eve']
  await storage.repository('users').createMany(ids.map((id, n) => ({ id, team: n % 2 === 0 ? 'x' : 'y' })))
  await social.addNodes(
    'user',
    ids.map((id, n) => ({ id, data: { n } })),
  )
  await social.connectMany([
    { source: 'ann', relation: 'follows', target: 'bob' },
    { source: 'bob', relation: 'follows', target: 'cid' },
    { source: 'cid', relation: 'follows', target: 'ann' },
    { source: 'cid', relation: 'follows', target: 'dan' },
    { source: 'ann', relation: 'knows', target: 'eve' },
  ])
  return { storage, social, users: storage.repository('users') }
}

const near = { graph: 'social', from: 'ann', relation: 'follows', maxDepth: 2 } as const

export const graphReachCases: readonly ConformanceCase[] = [
  {
    id: 'graph/reach-of-nodes',
    title: 'Nodes are asked for by what is within reach, together with other conditions, whatever cycles there are',
    async run({ open }) {
      const { social } = await openSocial(open)
      const ids = async (reach: object, more: object = {}) =>
        pick(await social.nodes('user', { where: { reach: wrong(reach), ...more } }), 'id').join(' ')
      assert.equal(await ids({ from: 'ann', relation: 'follows', maxDepth: 1 }), 'bob')
      assert.equal(await ids({ from: 'ann', relation: 'follows', maxDepth: 3 }), 'bob cid dan')
      assert.equal(await ids({ from: 'ann', relation: 'follows' }), 'bob cid dan')
      assert.equal(await ids({ from: 'ann', relation: 'follows', minDepth: 0, maxDepth: 1 }), 'ann bob')
      assert.equal(await ids({ from: 'ann', minDepth: 2 }), 'cid dan')
      assert.equal(await ids({ from: 'ann', relation: ['follows', 'knows'], maxDepth: 1 }), 'bob eve')
      assert.equal(await ids({ from: 'dan', direction: 'in', maxDepth: 2 }), 'bob cid')
      assert.equal(await ids({ from: 'nobody' }), '')
      assert.equal(await ids({ from: 'dan', minDepth: 0 }), 'dan')
      assert.equal(await ids({ from: 'ann' }, { 'data.n': { gte: 2 } }), 'cid dan eve')
      assert.equal(await ids({ from: 'ann' }, { or: [{ id: 'cid' }, { id: 'ann' }] }), 'cid')
      const others = await social.nodes('user', { where: { not: { reach: { from: 'ann', relation: 'follows' } } } })
      assert.deepEqual(pick(others, 'id'), ['ann', 'eve'])
      const both = await social.nodes('user', {
        where: { or: [{ reach: { from: 'ann', maxDepth: 1 } }, { reach: { from: 'cid', maxDepth: 1 } }] },
      })
      assert.deepEqual(pick(both, 'id'), ['ann', 'bob', 'dan', 'eve'])
    },
  },
  {
    id: 'graph/reach-of-records',
    title:
      'Every way to ask for records takes what is within reach in a graph: by their key, or by a field that holds ids',
    async run({ open }) {
      const { storage, users } = await openSocial(open)
      const where = { reach: near }
      assert.deepEqual(pick(await users.find({ where }), 'id'), ['bob', 'cid'])
      assert.deepEqual(pick(await users.find({ where: { ...where, team: 'y' } }), 'id'), ['bob'])
      assert.equal(await users.count(where), 2)
      assert.equal((await users.findOne({ where }))?.id, 'bob')
      assert.equal(await users.exists({ reach: { ...near, from: 'eve' } }), false)
      assert.deepEqual(pick(await collect(users.stream({ where })), 'id'), ['bob', 'cid'])
      const first = await users.page({ where, first: 1 })
      const second = await users.page({ where, first: 1, after: first.next })
      assert.deepEqual([...pick(first.items, 'id'), ...pick(second.items, 'id'), second.next], ['bob', 'cid', null])
      assert.deepEqual(await users.aggregate({ where, groupBy: { team: 'team' }, select: { n: count() } }), [
        { team: 'x', n: 1 },
        { team: 'y', n: 1 },
      ])
      const visits = storage.repository('visits')
      await visits.createMany(['ann', 'bob', 'bob', 'dan'].map((userId, index) => ({ id: index + 1, userId })))
      assert.deepEqual(pick(await visits.find({ where: { reach: { ...near, field: 'userId' } } }), 'id'), [2, 3])
      await users.create({ id: 'fay', team: 'x' })
      assert.deepEqual(await users.find({ where: { reach: { ...near, from: 'fay', minDepth: 0 } } }), [])
      const notes = storage.repository('notes')
      await notes.createMany([{ by: 'bob' }, { by: 'ann', reach: 5 }])
      assert.deepEqual(pick(await notes.find({ where: { reach: { ...near, field: 'by' } } as never }), 'by'), ['bob'])
      assert.deepEqual(pick(await notes.find({ where: { reach: 5 } as never }), 'by'), ['ann'])
      assert.deepEqual(await notes.find({ where: { reach: near } as never }), [])
    },
  },
  {
    id: 'graph/reach-of-writes',
    title: 'Writes take what is within reach as well, alone and in a transaction that has changed the graph',
    async run({ open }) {
      const { storage, users } = await openSocial(open)
      assert.equal(await users.updateMany({ reach: near }, { boss: 'ann' }), 2)
      assert.deepEqual(pick(await users.find({ where: { boss: 'ann' } }), 'id'), ['bob', 'cid'])
      const failing = storage.transaction(async (tx) => {
        await tx.graph('social').connect('bob', 'follows', 'eve')
        assert.deepEqual(pick(await tx.repository('users').find({ where: { reach: near } }), 'id'), [
          'bob',
          'cid',
          'eve',
        ])
        assert.equal(await tx.repository('users').deleteMany({ reach: near }), 3)
        throw new Error('mine')
      })
      await assert.rejects(failing, /mine/)
      assert.equal(await users.deleteMany({ not: { reach: { ...near, minDepth: 0 } } }), 2)
      assert.deepEqual(pick(await users.find(), 'id'), ['ann', 'bob', 'cid'])
    },
  },
  {
    id: 'graph/reach-refused',
    title: 'A reach that cannot be walked is refused, naming where it stands, and nothing is written',
    async run({ open }) {
      const { storage, social, users } = await openSocial(open)
      const bad: readonly (readonly [object, string])[] = [
        [{ ...near, graph: undefined }, 'where.reach.graph'],
        [{ ...near, graph: 5 }, 'where.reach.graph'],
        [{ ...near, from: 5 }, 'where.reach.from'],
        [{ ...near, relation: '' }, 'where.reach.relation'],
        [{ ...near, direction: 'up' }, 'where.reach.direction'],
        [{ ...near, maxDepth: -1 }, 'where.reach.maxDepth'],
        [{ ...near, depth: 1 }, 'where.reach.depth'],
        [{ ...near, field: 'nothing' }, 'where.reach.field'],
      ]
      for (const [reach, path] of bad) {
        await refused(() => users.deleteMany(wrong({ reach })), { code: 'VALIDATION', paths: [path] })
        await refused(() => users.find({ where: wrong({ reach }) }), { code: 'VALIDATION', paths: [path] })
      }
      await refused(() => storage.repository('visits').find({ where: { reach: near } }), {
        code: 'VALIDATION',
        paths: ['where.reach.field'],
      })
      await refused(() => social.nodes('user', { where: { not: { reach: { from: wrong(5) } } } }), {
        code: 'VALIDATION',
        paths: ['where.not.reach.from'],
      })
      await refused(() => defineSchema({ a: table({ id: t.id() }, { checks: [{ reach: near }] }) }), 'CONFIGURATION')
      assert.equal(await users.count(), 5)
    },
  },
]
