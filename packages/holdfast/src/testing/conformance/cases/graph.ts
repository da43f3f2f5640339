import assert from 'node:assert/strict'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Graph } from '../../../graph/index.ts'
import { defineSchema, graph } from '../../../schema/index.ts'
import { accessOf, describeAccess } from '../../../statement/index.ts'
import { expectStatements } from '../../query-budget.ts'
import { pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

/** A Standard Schema of objects whose named members are texts and numbers; it trims texts, so that its output can be told from its input. */
function shape<Data extends object>(members: Record<keyof Data & string, 'string' | 'number'>) {
  const validate = (value: unknown) => {
    const entries = Object.entries(members as Record<string, string>)
    const given = value as Record<string, unknown> | null | undefined
    const wrongOnes = entries.filter(([name, type]) => typeof given?.[name] !== type).map(([name]) => name)
    if (wrongOnes.length > 0) return { issues: wrongOnes.map((name) => ({ message: 'wrong', path: [name] })) }
    const output = entries.map(([name]) => {
      const member = given?.[name]
      return [name, typeof member === 'string' ? member.trim() : member]
    })
    return { value: Object.fromEntries(output) as Data }
  }
  return { '~standard': { version: 1, vendor: 'conformance', validate } } as StandardSchemaV1<Data, Data>
}

const schema = defineSchema({
  city: graph({
    nodes: {
      venue: shape<{ name: string }>({ name: 'string' }),
      artist: shape<{ name: string; fee: number }>({ name: 'string', fee: 'number' }),
      event: shape<{ title: string }>({ title: 'string' }),
    },
    relations: {
      hosts: { from: 'venue', to: 'event' },
      performsAt: { from: 'artist', to: ['event', 'venue'], data: shape<{ minutes: number }>({ minutes: 'number' }) },
      knows: { from: ['venue', 'artist', 'event'], to: ['venue', 'artist', 'event'] },
    },
    indexes: ['data.name'],
  }),
})

type Open = Parameters<ConformanceCase['run']>[0]['open']

async function openCity(open: Open) {
  const storage = await open(schema)
  const city = storage.graph('city')
  await city.addNode('venue', { name: 'Blue Hall' }, { id: 'v1' })
  await city.addNodes('event', [
    { id: 'e1', data: { title: 'Spring' } },
    { id: 'e2', data: { title: 'Summer' } },
  ])
  await city.addNode('artist', { name: 'Kim', fee: 5 }, { id: 'a1' })
  return { storage, city }
}

export const graphCases: readonly ConformanceCase[] = [
  {
    id: 'graph/nodes',
    title: 'A node is added, read, changed and removed; its data is what its schema makes of it',
    async run({ open }) {
      const { city } = await openCity(open)
      const added = await city.addNode('venue', { name: ' Red Hall ' })
      assert.deepEqual([added.label, added.data, added.id.length], ['venue', { name: 'Red Hall' }, 36])
      assert.ok(added.createdAt instanceof Date && added.updatedAt instanceof Date)
      assert.deepEqual(await city.getNode(added.id), added)
      const changed = await city.updateNode<'artist'>('a1', { fee: 7, name: undefined })
      assert.deepEqual([changed.data, changed.label], [{ name: 'Kim', fee: 7 }, 'artist'])
      assert.deepEqual(await city.getNode('a1'), changed)
      assert.deepEqual([await city.removeNode(added.id), await city.removeNode(added.id)], [true, false])
      assert.equal(await city.getNode(added.id), null)
      await refused(() => city.updateNode('nobody', {}), 'NOT_FOUND')
      await refused(() => city.addNode('venue', { name: 'x' }, { id: 'v1' }), 'CONFLICT_UNIQUE')
    },
  },
  {
    id: 'graph/nodes-of-a-label',
    title: 'The nodes of a label are found by conditions on their data, ordered and cut like any records',
    async run({ open }) {
      const { storage, city } = await openCity(open)
      await city.addNodes(
        'venue',
        ['Club 9', 'Arena', 'Blue Room'].map((name, index) => ({ id: `w${index}`, data: { name } })),
      )
      assert.deepEqual(pick(await city.nodes('venue'), 'id'), ['v1', 'w0', 'w1', 'w2'])
      const blue = await city.nodes('venue', {
        where: { 'data.name': { startsWith: 'Blue' } },
        orderBy: { 'data.name': 'desc' },
        limit: 1,
      })
      assert.deepEqual(pick(blue, 'id'), ['w2'])
      assert.deepEqual(await city.nodes('event', { where: { label: wrong('venue') } }), [])
      await expectStatements(storage, { atMost: 1, indexed: true }, () =>
        city.nodes('venue', { where: { 'data.name': 'Arena' } }),
      )
      await refused(() => city.nodes(wrong('pub')), { code: 'VALIDATION', paths: ['label'] })
      await refused(() => city.nodes('venue', wrong({ were: {} })), 'VALIDATION')
    },
  },
  {
    id: 'graph/edges',
    title: 'An edge is added, found from both ends, changed and removed; two between the same nodes are two',
    async run({ open }) {
      const { city } = await openCity(open)
      const hosts = await city.connect('v1', 'hosts', 'e1')
      assert.deepEqual([hosts.source, hosts.relation, hosts.target, hosts.data], ['v1', 'hosts', 'e1', null])
      const [first, second] = await city.connectMany([
        { source: 'a1', relation: 'performsAt', target: 'e1', data: { minutes: 30 } },
        { id: 'mine', source: 'a1', relation: 'performsAt', target: 'e1', data: { minutes: 45 } },
      ])
      assert.deepEqual([first?.data, second?.id], [{ minutes: 30 }, 'mine'])
      assert.deepEqual(pick(await city.edges({ where: { target: 'e1' } }), 'id').toSorted(), [
        ...[hosts.id, first?.id as string, 'mine'].toSorted(),
      ])
      const long = await city.edges({ where: { relation: 'performsAt', 'data.minutes': { gt: 40 } } })
      assert.deepEqual(long, [second])
      assert.deepEqual((await city.updateEdge<'performsAt'>('mine', { minutes: 50 })).data, { minutes: 50 })
      assert.deepEqual([await city.disconnect('mine'), await city.disconnect('mine')], [true, false])
      assert.equal((await city.edges()).length, 2)
    },
  },
  {
    id: 'graph/loops',
    title: 'Edges may lead back to where they come from, and around in cycles',
    async run({ open }) {
      const { city } = await openCity(open)
      await city.connect('v1', 'knows', 'v1')
      await city.connectMany([
        { source: 'v1', relation: 'knows', target: 'a1' },
        { source: 'a1', relation: 'knows', target: 'v1' },
      ])
      const { items } = await city.neighbors('v1', { direction: 'both' })
      assert.deepEqual(pick(items, 'id'), ['a1', 'v1'])
    },
  },
  {
    id: 'graph/cascade',
    title: 'Removing a node removes the edges from it and to it, and no others; a rollback brings all back',
    async run({ open }) {
      const { storage, city } = await openCity(open)
      await city.connectMany([
        { source: 'v1', relation: 'hosts', target: 'e1' },
        { source: 'v1', relation: 'hosts', target: 'e2' },
        { source: 'a1', relation: 'knows', target: 'v1' },
        { source: 'a1', relation: 'knows', target: 'e2' },
      ])
      const undone = storage.transaction(async (tx) => {
        await tx.graph('city').removeNode('v1')
        assert.equal((await tx.graph('city').edges()).length, 1)
        throw new Error('mine')
      })
      await assert.rejects(undone, /mine/)
      assert.equal((await city.edges()).length, 4)
      await city.removeNode('v1')
      const left = await city.edges()
      assert.deepEqual(
        left.map(({ source, target }) => [source, target]),
        [['a1', 'e2']],
      )
    },
  },
  {
    id: 'graph/refused',
    title: 'Labels, relations and data that the schema does not have are refused, and nothing is written',
    async run({ open }) {
      const { city } = await openCity(open)
      const loose = city as unknown as Graph
      const bad: readonly (readonly [() => Promise<unknown>, readonly string[]])[] = [
        [() => loose.addNode('pub', { name: 'x' }), ['label']],
        [() => loose.addNode('__proto__', { name: 'x' }), ['label']],
        [() => city.addNode('venue', wrong({ name: 5 })), ['data.name']],
        [() => city.addNode('venue', { name: 'a\0b' }), ['data.name']],
        [() => city.addNode('venue', { name: 'x' }, wrong({ key: 'x' })), ['key']],
        [() => city.addNode('venue', { name: 'x' }, { id: wrong(5) }), ['id']],
        [
          () => city.addNodes('artist', [{ data: { name: 'x', fee: 1 } }, { data: wrong({ fee: 1 }) }]),
          ['1.data.name'],
        ],
        [() => city.addNodes('venue', wrong([5, { dat: 1 }])), ['0', '1.dat', '1.data.name']],
        [() => city.updateNode<'artist'>('a1', { fee: wrong('much') }), ['data.fee']],
        [() => city.updateNode('a1', wrong([])), ['patch']],
        [() => loose.connect('v1', 'likes', 'e1'), ['relation']],
        [() => loose.connect('v1', 'toString', 'e1'), ['relation']],
        [() => city.connect('v1', 'hosts', 'e1', wrong('hall 1')), ['data']],
        [() => city.connect('a1', 'performsAt', 'e1', wrong(undefined)), ['data.minutes']],
        [() => city.connect(wrong(1), 'hosts', wrong(null)), ['source', 'target']],
        [() => city.connect('e1', 'hosts', 'v1'), ['source', 'target']],
        [
          () =>
            city.connectMany([
              { source: 'v1', relation: 'hosts', target: 'e1' },
              { source: 'v1', relation: 'hosts', target: 'a1' },
            ]),
          ['1.target'],
        ],
        [() => city.neighbors('v1', { direction: wrong('up') }), ['direction']],
        [() => city.neighbors('v1', { relation: wrong('likes'), label: wrong(['pub']) }), ['relation', 'label.0']],
        [() => city.neighbors('v1', { first: 0, after: 'x' }), ['first', 'after']],
        [() => city.neighbors('v1', wrong({ limit: 3 })), ['limit']],
      ]
      for (const [call, paths] of bad) await refused(call, { code: 'VALIDATION', paths })
      assert.deepEqual([(await city.nodes('venue')).length, (await city.nodes('artist')).length], [1, 1])
      assert.deepEqual(await city.edges(), [])
    },
  },
  {
    id: 'graph/undeclared-data',
    title: 'An edge of a relation that declares no data may carry any',
    async run({ open }) {
      const { city } = await openCity(open)
      const edge = await city.connect('v1', 'hosts', 'e1', { hall: 1, since: [2020] })
      assert.deepEqual(edge.data, { hall: 1, since: [2020] })
      assert.deepEqual(
        (await city.edges({ where: { 'data.hall': 1 } })).map(({ id }) => id),
        [edge.id],
      )
      assert.equal((await city.connect('v1', 'hosts', 'e1')).data, null)
    },
  },
  {
    id: 'graph/edges-to-nowhere',
    title: 'An edge from or to a node that is not there is refused, alone and among many, and nothing is written',
    async run({ open }) {
      const { storage, city } = await openCity(open)
      const free = storage.graph()
      await free.addNode('thing', {}, { id: 'here' })
      const edge = { source: 'v1', relation: 'hosts', target: 'e1' } as const
      const calls: readonly (readonly [() => Promise<unknown>, string])[] = [
        [() => city.connect('gone', 'hosts', 'e1'), 'source'],
        [() => city.connect('v1', 'hosts', 'gone'), 'target'],
        [() => city.connect('v1', 'knows', 'gone'), 'target'],
        [() => city.connectMany([edge, { ...edge, source: 'gone' }]), 'source'],
        [() => free.connect('gone', 'to', 'here'), 'source'],
        [() => free.connectMany([{ source: 'here', relation: 'to', target: 'gone' }]), 'target'],
      ]
      for (const [call, field] of calls) await refused(call, { code: 'CONSTRAINT_FOREIGN_KEY', fields: [field] })
      assert.deepEqual([await city.edges(), await free.edges()], [[], []])
    },
  },
  {
    id: 'graph/undeclared',
    title: 'A graph that nobody declared takes any label, relation and data; graphs share no ids',
    async run({ open }) {
      const { storage } = await openCity(open)
      const [free, other] = [storage.graph(), storage.graph('other')]
      const node = await free.addNode('thing', { deep: { list: [1, null] } }, { id: 'v1' })
      assert.deepEqual(node.data, { deep: { list: [1, null] } })
      await other.addNode('thing', {}, { id: 'v1' })
      const edge = await free.connect('v1', 'any thing', 'v1', { n: 1 })
      assert.deepEqual(edge.data, { n: 1 })
      assert.deepEqual(await other.edges(), [])
      assert.deepEqual((await free.updateNode('v1', { deep: null, more: 1 })).data, { deep: null, more: 1 })
      assert.deepEqual((await free.updateEdge(edge.id, { m: 2 })).data, { n: 1, m: 2 })
      await refused(() => free.addNode('', {}), { code: 'VALIDATION', paths: ['label'] })
      await refused(() => free.addNode('thing', wrong([1])), { code: 'VALIDATION', paths: ['data'] })
      await refused(() => free.connect('v1', 'x', 'v1', wrong('text')), { code: 'VALIDATION', paths: ['data'] })
    },
  },
  {
    id: 'graph/undeclared-refused',
    title: 'Without autoCreate there are no graphs but those of the schema',
    async run({ open }) {
      const storage = await open(defineSchema({}), { autoCreate: false })
      await refused(() => storage.graph('other'), 'CONFIGURATION')
      await refused(() => storage.graph(), 'CONFIGURATION')
    },
  },
  {
    id: 'graph/in-a-transaction',
    title: 'What is written to a graph in a transaction is there exactly when it commits, beside everything else',
    async run({ open }) {
      const { storage, city } = await openCity(open)
      const failing = storage.transaction(async (tx) => {
        const node = await tx.graph('city').addNode('venue', { name: 'Gone' })
        await tx.graph('city').connect(node.id, 'hosts', 'e1')
        assert.equal((await tx.graph('city').neighbors(node.id)).items.length, 1)
        throw new Error('mine')
      })
      await assert.rejects(failing, /mine/)
      assert.deepEqual([(await city.nodes('venue')).length, await city.edges()], [1, []])
      await storage.transaction(async (tx) => {
        const node = await tx.graph('city').addNode('venue', { name: 'Kept' }, { id: 'kept' })
        await tx.graph('city').connect(node.id, 'hosts', 'e1')
        await tx.graph('log').addNode('note', { of: node.id })
      })
      assert.deepEqual(pick((await city.neighbors('kept')).items, 'id'), ['e1'])
      assert.equal((await storage.graph('log').nodes('note')).length, 1)
    },
  },
  {
    id: 'graph/neighbors',
    title:
      'Neighbours are the nodes that edges lead to, each once, by id, along the relations and with the labels asked for',
    async run({ open }) {
      const { storage, city } = await openCity(open)
      await city.connectMany([
        { source: 'v1', relation: 'hosts', target: 'e2' },
        { source: 'v1', relation: 'hosts', target: 'e1' },
        { source: 'v1', relation: 'hosts', target: 'e1' },
        { source: 'v1', relation: 'knows', target: 'e1' },
        { source: 'v1', relation: 'knows', target: 'a1' },
        { source: 'a1', relation: 'performsAt', target: 'v1', data: { minutes: 1 } },
      ])
      const ids = async (options?: Parameters<typeof city.neighbors>[1]) =>
        pick((await city.neighbors('v1', options)).items, 'id').join(' ')
      assert.equal(await ids(), 'a1 e1 e2')
      assert.equal(await ids({ relation: 'hosts' }), 'e1 e2')
      assert.equal(await ids({ relation: ['hosts', 'knows'] }), 'a1 e1 e2')
      assert.equal(await ids({ relation: [] }), '')
      assert.equal(await ids({ label: 'artist' }), 'a1')
      assert.equal(await ids({ label: ['artist', 'venue'] }), 'a1')
      assert.equal(await ids({ direction: 'in' }), 'a1')
      assert.equal(await ids({ direction: 'both' }), 'a1 e1 e2')
      const { items } = await city.neighbors('v1', { label: 'artist' })
      assert.deepEqual(items, [await city.getNode('a1')])
      assert.deepEqual(await city.neighbors('nobody'), { items: [], next: null })
      await expectStatements(storage, { atMost: 1, indexed: true }, () => city.neighbors('v1', { relation: 'hosts' }))
      await expectStatements(storage, { atMost: 2, indexed: true }, () => city.neighbors('v1', { direction: 'both' }))
    },
  },
  {
    id: 'graph/neighbors-of-a-hub',
    title: 'A page of the neighbours along a relation is read from the index in order, however many there are',
    async run({ open }) {
      const { storage, city } = await openCity(open)
      const ways: string[] = []
      const stop = storage.onStatement((statement) => {
        if (statement.kind === 'select') ways.push(describeAccess(accessOf(statement, storage.models)))
      })
      const { next } = await city.neighbors('v1', { relation: 'hosts', first: 1 })
      assert.equal(next, null)
      await city.connectMany(['e1', 'e2'].map((target) => ({ source: 'v1', relation: 'hosts', target })))
      ways.length = 0
      const page = await city.neighbors('v1', { relation: 'hosts', first: 1 })
      await city.neighbors('v1', { relation: 'hosts', first: 1, after: page.next, label: 'event' })
      await city.neighbors('v1', { relation: 'hosts', first: 1, direction: 'in', after: page.next })
      stop()
      const index = (near: string, far: string) => `index holdfast_city_edges_${near}_relation_${far}_index`
      assert.deepEqual(ways, [
        `${index('source', 'target')} (2 equal, ordered)`,
        `${index('source', 'target')} (2 equal, range, ordered)`,
        `${index('target', 'source')} (2 equal, range, ordered)`,
      ])
    },
  },
  {
    id: 'graph/at-once',
    title: 'Many who add, connect and remove at once all get what they asked for, and no edge leads to nowhere',
    async run({ open }) {
      const { city } = await openCity(open)
      const outcomes = await Promise.all(
        Array.from({ length: 24 }, async (_, n) => {
          const { id } = await city.addNode('event', { title: `Event ${n}` })
          await city.connect('v1', 'hosts', id)
          await city.connect('a1', 'performsAt', id, { minutes: n })
          return n % 3 === 0 ? city.removeNode(id) : city.updateNode<'event'>(id, { title: `Changed ${n}` })
        }),
      )
      assert.equal(outcomes.filter((outcome) => outcome === true).length, 8)
      const { items } = await city.neighbors('v1', { relation: 'hosts' })
      assert.equal(items.length, 16)
      assert.ok(items.every(({ data }) => (data as { title: string }).title.startsWith('Changed')))
      assert.equal((await city.edges()).length, 32)
    },
  },
  {
    id: 'graph/neighbors-by-page',
    title:
      'Pages of neighbours give each one once, whatever their size, the direction and however many edges lead there',
    async run({ open }) {
      const storage = await open(defineSchema({}))
      const g = storage.graph()
      const names = Array.from({ length: 23 }, (_, n) => `n${String(n).padStart(2, '0')}`)
      await g.addNodes('n', [{ id: 'hub', data: {} }, ...names.map((id) => ({ id, data: {} }))])
      await g.connectMany(
        names.flatMap((id, n) => [
          // Some are led to many times, from both sides, and along several relations.
          ...Array.from({ length: 1 + (n % 4) * 3 }, () => ({ source: 'hub', relation: 'a', target: id })),
          ...(n % 2 === 0 ? [{ source: id, relation: n % 3 === 0 ? 'a' : 'b', target: 'hub' }] : []),
        ]),
      )
      const even = names.filter((_, n) => n % 2 === 0)
      for (const first of [1, 2, 5, 22, 23, 24, 100]) {
        for (const [direction, expected] of [
          ['out', names],
          ['in', even],
          ['both', names],
        ] as const) {
          const seen: string[] = []
          let after: string | null = null
          do {
            const page: Awaited<ReturnType<typeof g.neighbors>> = await g.neighbors('hub', { direction, first, after })
            assert.ok(page.items.length <= first)
            assert.equal(page.items.length < first && page.next !== null, false, 'a page that is not full is the last')
            seen.push(...pick(page.items, 'id'))
            after = page.next
          } while (after !== null)
          assert.deepEqual(seen, expected, `${direction} by ${first}`)
        }
      }
    },
  },
]
