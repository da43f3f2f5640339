import assert from 'node:assert/strict'
import type { EdgeDirection, Graph } from '../../../graph/index.ts'
import { defineSchema } from '../../../schema/index.ts'
import { expectStatements } from '../../query-budget.ts'
import { pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

type Open = Parameters<ConformanceCase['run']>[0]['open']
type Edge = readonly [source: string, relation: string, target: string, cost?: number]

/** A graph of these edges; its nodes are their ends, labelled by the first letter of their ids. */
async function openGraph(open: Open, edges: readonly Edge[], lonely: readonly string[] = []) {
  const storage = await open(defineSchema({}))
  const g = storage.graph()
  const ids = [...new Set([...edges.flatMap(([source, , target]) => [source, target]), ...lonely])]
  for (const label of new Set(ids.map((id) => id.charAt(0))))
    await g.addNodes(
      label,
      ids.filter((id) => id.startsWith(label)).map((id) => ({ id, data: { name: id } })),
    )
  await g.connectMany(
    edges.map(([source, relation, target, cost]) => ({
      source,
      relation,
      target,
      ...(cost !== undefined && { data: { cost, deep: { cost } } }),
    })),
  )
  return { storage, g }
}

/** `a0 b1`: what was reached, and how far away. */
async function reached(walk: Promise<readonly { readonly node: { readonly id: string }; readonly depth: number }[]>) {
  return (await walk).map(({ node, depth }) => `${node.id}${depth}`).join(' ')
}

const cycle: readonly Edge[] = [
  ['a', 'to', 'b'],
  ['b', 'to', 'c'],
  ['c', 'to', 'a'],
  ['c', 'to', 'c'],
  ['c', 'via', 'd'],
  ['e', 'to', 'd'],
  ['a', 'to', 'b'],
]

/** Numbers that look random and are the same each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** What the walks must find, computed by the simplest means there are: the least costs between all pairs. */
function leastCosts(ids: readonly string[], edges: readonly Edge[], direction: EdgeDirection, weighted: boolean) {
  const least = new Map(ids.map((id) => [id, new Map([[id, 0]])]))
  const put = (from: string, to: string, cost: number): boolean => {
    const known = least.get(from)?.get(to) ?? Number.POSITIVE_INFINITY
    if (cost < known) least.get(from)?.set(to, cost)
    return cost < known
  }
  for (const [source, , target, cost = 1] of edges) {
    if (direction !== 'in') put(source, target, weighted ? cost : 1)
    if (direction !== 'out') put(target, source, weighted ? cost : 1)
  }
  for (const by of ids)
    for (const from of ids)
      for (const [to, cost] of least.get(by) ?? []) {
        const before = least.get(from)?.get(by)
        if (before !== undefined) put(from, to, before + cost)
      }
  return least
}

async function assertPath(g: Graph, from: string, to: string, options: object, cost: number | undefined) {
  const path = await g.shortestPath(from, to, options)
  assert.equal(path?.cost, cost, `${from} to ${to} ${JSON.stringify(options)}`)
  if (path === null) return
  const ids = pick(path.nodes, 'id')
  assert.deepEqual([ids[0], ids.at(-1), path.edges.length], [from, to, ids.length - 1])
  for (const [index, { source, target }] of path.edges.entries()) {
    const ends = [ids[index], ids[index + 1]].toSorted()
    assert.deepEqual([source, target].toSorted(), ends, 'an edge leads from each node to the next')
  }
}

export const graphWalkCases: readonly ConformanceCase[] = [
  {
    id: 'graph/traverse',
    title: 'A walk finds each node within reach once, with its distance, nearest first, however many cycles there are',
    async run({ open }) {
      const { g } = await openGraph(open, cycle)
      assert.equal(await reached(g.traverse('a')), 'a0 b1 c2 d3')
      assert.equal(await reached(g.traverse('a', { maxDepth: 1 })), 'a0 b1')
      assert.equal(await reached(g.traverse('a', { maxDepth: 0 })), 'a0')
      assert.equal(await reached(g.traverse('a', { minDepth: 1, maxDepth: 2 })), 'b1 c2')
      assert.equal(await reached(g.traverse('a', { relations: 'to' })), 'a0 b1 c2')
      assert.equal(await reached(g.traverse('c', { relations: ['via'] })), 'c0 d1')
      assert.equal(await reached(g.traverse('c', { relations: [] })), 'c0')
      assert.equal(await reached(g.traverse('d', { direction: 'in' })), 'd0 c1 e1 b2 a3')
      assert.equal(await reached(g.traverse('a', { direction: 'both' })), 'a0 b1 c1 d2 e3')
      assert.equal(await reached(g.traverse('a', { labels: ['c', 'd'] })), 'c2 d3')
      assert.equal(await reached(g.traverse('nobody')), '')
      const [first] = await g.traverse('a', { maxDepth: 0 })
      assert.deepEqual(first?.node, await g.getNode('a'))
    },
  },
  {
    id: 'graph/component',
    title: 'A component is all that is connected, whichever way the edges run; a degree counts edges',
    async run({ open }) {
      const { g } = await openGraph(open, [...cycle, ['x', 'to', 'y']], ['z'])
      assert.deepEqual(pick(await g.component('e'), 'id'), ['e', 'd', 'c', 'a', 'b'])
      assert.deepEqual(pick(await g.component('e', { relations: 'to' }), 'id'), ['e', 'd'])
      assert.deepEqual(pick(await g.component('y'), 'id'), ['y', 'x'])
      assert.deepEqual(pick(await g.component('z'), 'id'), ['z'])
      assert.deepEqual(await Promise.all(['a', 'c', 'd', 'z'].map((id) => g.degree(id))), [3, 5, 2, 0])
      assert.equal(await g.degree('c', { direction: 'out' }), 3)
      assert.equal(await g.degree('c', { direction: 'in', relation: 'to' }), 2)
    },
  },
  {
    id: 'graph/statements-of-a-walk',
    title: 'A walk asks one statement a level, never one a node, and each finds its rows by an index',
    async run({ open }) {
      const edges = Array.from({ length: 60 }, (_, n): Edge => [`n${n % 3}`, 'to', `n${n}`])
      const { storage, g } = await openGraph(open, [...edges, ['n59', 'to', 'm']])
      const few = (atMost: number, work: () => Promise<unknown>) =>
        expectStatements(storage, { atMost, indexed: true }, work)
      await few(3, () => g.traverse('n0', { relations: 'to', maxDepth: 2 }))
      await few(5, () => g.traverse('n0', { direction: 'both', maxDepth: 2 }))
      await few(6, () => g.shortestPath('n0', 'm'))
      await few(8, () => g.shortestPath('n0', 'm', { weight: () => 1 }))
      await few(2, () => g.degree('n0'))
    },
  },
  {
    id: 'graph/shortest-path',
    title: 'The shortest path has the fewest edges, its nodes and edges in order; null where no way leads',
    async run({ open }) {
      const { g } = await openGraph(open, cycle, ['z'])
      const path = await g.shortestPath('a', 'd')
      assert.deepEqual(pick(path?.nodes ?? [], 'id'), ['a', 'b', 'c', 'd'])
      assert.deepEqual(
        path?.edges.map(({ source, relation, target }) => `${source} ${relation} ${target}`),
        ['a to b', 'b to c', 'c via d'],
      )
      assert.equal(path?.cost, 3)
      assert.deepEqual(path?.nodes[0], await g.getNode('a'))
      assert.deepEqual([path?.edges[2]], await g.edges({ where: { relation: 'via' } }))
      assert.equal(await g.shortestPath('a', 'd', { relations: 'to' }), null)
      assert.equal(await g.shortestPath('a', 'e'), null)
      assert.equal((await g.shortestPath('d', 'a', { direction: 'in' }))?.cost, 3)
      assert.equal((await g.shortestPath('a', 'e', { direction: 'both' }))?.cost, 3)
      assert.deepEqual(await g.shortestPath('c', 'c'), { nodes: [await g.getNode('c')], edges: [], cost: 0 })
      assert.deepEqual(
        [await g.shortestPath('a', 'z'), await g.shortestPath('a', 'nobody'), await g.shortestPath('nobody', 'nobody')],
        [null, null, null],
      )
    },
  },
  {
    id: 'graph/cheapest-path',
    title: 'With a weight the path costs the least: a number in the data, at a path of it, or what a function says',
    async run({ open }) {
      const { g } = await openGraph(open, [
        ['a', 'to', 'd', 9],
        ['a', 'to', 'b', 1.5],
        ['b', 'to', 'd', 8],
        ['b', 'to', 'c', 0],
        ['c', 'to', 'b', 0],
        ['c', 'to', 'd', 2],
        ['c', 'to', 'd', 1.25],
        ['d', 'to', 'x'],
        ['d', 'to', 'y', -1],
      ])
      for (const weight of ['cost', 'deep.cost', (edge: { data: unknown }) => (edge.data as { cost: number }).cost]) {
        const path = await g.shortestPath('a', 'd', { weight })
        assert.deepEqual([pick(path?.nodes ?? [], 'id').join(' '), path?.cost], ['a b c d', 2.75])
        assert.deepEqual(path?.edges.at(-1)?.data, { cost: 1.25, deep: { cost: 1.25 } })
      }
      assert.equal((await g.shortestPath('a', 'd'))?.cost, 1)
      assert.deepEqual((await g.shortestPath('a', 'a', { weight: 'cost' }))?.cost, 0)
      assert.equal(await g.shortestPath('d', 'a', { weight: () => 1 }), null)
      await refused(() => g.shortestPath('d', 'x', { weight: 'cost' }), { code: 'VALIDATION', paths: ['weight'] })
      await refused(() => g.shortestPath('d', 'x', { weight: () => Number.NaN }), 'VALIDATION')
    },
  },
  {
    id: 'graph/walks-of-random-graphs',
    title: 'Distances, paths and costs are those of the simplest algorithm, in all directions',
    async run({ open }) {
      const below = numbers(7)
      const ids = Array.from({ length: 24 }, (_, n) => `n${String(n).padStart(2, '0')}`)
      const edges = Array.from({ length: 40 }, (): Edge => {
        const [source, target] = [ids[below(24)] as string, ids[below(24)] as string]
        return [source, below(2) === 0 ? 'a' : 'b', target, below(9)]
      })
      const { g } = await openGraph(open, edges, ids)
      for (const direction of ['out', 'in', 'both'] as const) {
        const steps = leastCosts(ids, edges, direction, false)
        const costs = leastCosts(ids, edges, direction, true)
        for (const from of ids.slice(0, 6)) {
          const expected = [...(steps.get(from) ?? [])].map(([id, depth]) => `${id} ${depth}`)
          const found = (await g.traverse(from, { direction })).map(({ node, depth }) => `${node.id} ${depth}`)
          assert.deepEqual(found.toSorted(), expected.toSorted())
          for (const to of ids.slice(10, 20)) {
            await assertPath(g, from, to, { direction }, steps.get(from)?.get(to))
            await assertPath(g, from, to, { direction, weight: 'cost' }, costs.get(from)?.get(to))
          }
        }
      }
    },
  },
  {
    id: 'graph/same-path',
    title: 'Of several paths that are as short, every backend gives the same',
    async run({ open }) {
      const middle = ['m3', 'm1', 'm2', 'm\u{1f600}', 'm\uffee']
      const { g } = await openGraph(
        open,
        middle.flatMap((id): Edge[] => [
          ['a', 'to', id, 1],
          [id, 'to', 'b', 1],
        ]),
      )
      assert.equal((await g.shortestPath('a', 'b'))?.nodes[1]?.id, 'm1')
      assert.deepEqual(pick((await g.neighbors('a')).items, 'id'), ['m1', 'm2', 'm3', 'm\uffee', 'm\u{1f600}'])
      assert.equal(await reached(g.traverse('a', { minDepth: 1, maxDepth: 1 })), 'm11 m21 m31 m\uffee1 m\u{1f600}1')
      const first = await g.shortestPath('a', 'b', { weight: 'cost' })
      const ids = pick(await g.edges({ where: { target: 'b' } }), 'id')
      assert.equal(first?.edges[1]?.id, ids[0])
    },
  },
  {
    id: 'graph/wide-walk',
    title: 'A walk over levels of thousands of nodes finds them all',
    async run({ open }) {
      const leaves = Array.from({ length: 5_200 }, (_, n) => `l${n}`)
      const { g } = await openGraph(open, [
        ...leaves.map((id): Edge => ['hub', 'to', id]),
        ...leaves.map((id): Edge => [id, 'to', 'sink']),
      ])
      const walk = await g.traverse('hub')
      assert.deepEqual([walk.length, walk[0]?.node.id, walk.at(-1)?.node.id], [5_202, 'hub', 'sink'])
      assert.deepEqual(
        walk.slice(1, -1).map(({ node }) => node.id),
        leaves.toSorted(),
      )
      assert.equal((await g.shortestPath('hub', 'sink'))?.cost, 2)
      assert.equal((await g.shortestPath('hub', 'sink', { weight: () => 1 }))?.cost, 2)
      assert.equal(await g.removeNode('hub'), true)
      assert.equal((await g.component('sink')).length, 5_201)
    },
  },
  {
    id: 'graph/removed-while-walked',
    title: 'While nodes and edges come and go, walks and paths give only what is whole',
    async run({ open }) {
      const { g } = await openGraph(open, [
        ...Array.from({ length: 40 }, (_, n): Edge => [`n${n}`, 'to', `n${n + 1}`]),
        ...Array.from({ length: 20 }, (_, n): Edge => [`n${n}`, 'to', `n${n + 20}`]),
      ])
      const changing = (async () => {
        for (let n = 5; n < 20; n++) {
          await g.removeNode(`n${n}`)
          await g.addNode('n', {}, { id: `n${n}` })
          await g.connect('n4', 'to', `n${n}`)
          await g.connect(`n${n}`, 'to', 'n21')
        }
      })()
      const walking = Array.from({ length: 15 }, async () => {
        for (const { node } of await g.traverse('n0')) assert.equal(node.label, 'n')
        const path = await g.shortestPath('n0', 'n40')
        assert.equal(path?.nodes.length, (path?.edges.length ?? 0) + 1)
      })
      await Promise.all([changing, ...walking])
    },
  },
  {
    id: 'graph/walks-refused',
    title: 'What is not a walk or path is refused, naming what is wrong',
    async run({ open }) {
      const { g } = await openGraph(open, cycle)
      const bad: readonly (readonly [() => Promise<unknown>, readonly string[]])[] = [
        [() => g.traverse(wrong(5)), ['id']],
        [() => g.traverse('a', { maxDepth: -1, minDepth: 1.5 }), ['minDepth', 'maxDepth']],
        [() => g.traverse('a', wrong({ depth: 1 })), ['depth']],
        [() => g.traverse('a', { direction: wrong('up'), relations: ['to', ''] }), ['relations.1', 'direction']],
        [() => g.traverse('a', { labels: wrong([1]) }), ['labels.0']],
        [() => g.component('a', wrong({ direction: 'in' })), ['direction']],
        [() => g.degree('a', wrong({ relations: 'to' })), ['relations']],
        [() => g.degree('a', wrong(null)), ['options']],
        [() => g.neighbors('a', wrong(['to'])), ['options']],
        [() => g.shortestPath('a', 'b\0'), ['to']],
        [() => g.shortestPath('a', 'b', { weight: '' }), ['weight']],
        [() => g.shortestPath('a', 'b', { weight: 'a.__proto__' }), ['weight']],
        [() => g.shortestPath('a', 'b', wrong('weight')), ['options']],
      ]
      for (const [call, paths] of bad) await refused(call, { code: 'VALIDATION', paths })
    },
  },
]
