import assert from 'node:assert/strict'
import type { Graph } from '../../../graph/index.ts'
import { defineSchema } from '../../../schema/index.ts'
import { collect, pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

type Open = Parameters<ConformanceCase['run']>[0]['open']

async function openGraphs(open: Open) {
  const storage = await open(defineSchema({}))
  const [one, two] = [storage.graph('one'), storage.graph('two')]
  await one.addNode('venue', { name: 'Blue "Hall"', list: [1, { deep: null }] }, { id: 'v1' })
  await one.addNode('event', { title: 'Übung\n\u{1f600}' }, { id: 'e1' })
  await one.connectMany([
    { id: 'x1', source: 'v1', relation: 'hosts', target: 'e1', data: { hall: 2 } },
    { id: 'x2', source: 'v1', relation: 'hosts', target: 'e1' },
    { id: 'x3', source: 'e1', relation: 'next to', target: 'e1' },
  ])
  return { storage, one, two }
}

/** All of a graph but the times. */
async function contentOf(g: Graph) {
  const nodes = [...(await g.nodes('venue')), ...(await g.nodes('event'))]
  const edges = await g.edges()
  return {
    nodes: nodes.map(({ id, label, data }) => ({ id, label, data })),
    edges: edges.map(({ id, source, relation, target, data }) => ({ id, source, relation, target, data })),
  }
}

/** Cuts a text where it hurts: in the middle of everything. */
function* cut(text: string, length: number): Generator<string> {
  for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length)
}

/** What graphology would hold. */
class Drawing {
  readonly nodes = new Map<string, Record<string, unknown>>()
  readonly edges = new Map<string, { source: string; target: string; attributes: Record<string, unknown> }>()

  addNode(node: string, attributes: Record<string, unknown>) {
    this.nodes.set(node, attributes)
  }

  addDirectedEdgeWithKey(edge: string, source: string, target: string, attributes: Record<string, unknown>) {
    assert.ok(this.nodes.has(source) && this.nodes.has(target), 'nodes come before their edges')
    this.edges.set(edge, { source, target, attributes })
  }

  *nodeEntries() {
    for (const [node, attributes] of this.nodes) yield { node, attributes }
  }

  *edgeEntries() {
    for (const [edge, rest] of this.edges) yield { edge, ...rest }
  }
}

export const graphExchangeCases: readonly ConformanceCase[] = [
  {
    id: 'graph/json',
    title: 'A graph comes out as JSON Graph Format and back the same, in whatever pieces the text arrives',
    async run({ open }) {
      const { storage, one, two } = await openGraphs(open)
      const text = (await collect(one.exportJson())).join('')
      const parsed = JSON.parse(text) as { graph: { directed: boolean; nodes: object; edges: object[] } }
      assert.deepEqual([parsed.graph.directed, Object.keys(parsed.graph.nodes)], [true, ['e1', 'v1']])
      assert.deepEqual(parsed.graph.edges[0], {
        id: 'x1',
        source: 'v1',
        relation: 'hosts',
        target: 'e1',
        metadata: { hall: 2 },
      })
      assert.deepEqual(await two.importJson(text), { nodes: 2, edges: 3 })
      assert.deepEqual(await contentOf(two), await contentOf(one))
      for (const length of [1, 7, 1000]) {
        const other = storage.graph(`cut${length}`)
        await other.importJson(cut(text, length))
        assert.deepEqual(await contentOf(other), await contentOf(one))
      }
      const bytes = storage.graph('bytes')
      await bytes.importJson([...new TextEncoder().encode(text)].map((byte) => Uint8Array.of(byte)))
      assert.deepEqual(await contentOf(bytes), await contentOf(one))
    },
  },
  {
    id: 'graph/json-of-others',
    title: 'Edges before nodes, nodes in a list, and members that mean nothing here are read as well',
    async run({ open }) {
      const { two } = await openGraphs(open)
      const text = JSON.stringify({
        extra: [1],
        graph: {
          metadata: { nodes: { no: {} } },
          edges: [{ source: 'a', relation: 'to', target: 'b', directed: true, metadata: { w: 1 } }],
          nodes: [
            { id: 'a', label: 'venue', metadata: { n: 1 } },
            { id: 'b', label: 'event' },
          ],
        },
      })
      assert.deepEqual(await two.importJson(text), { nodes: 2, edges: 1 })
      assert.deepEqual(pick((await two.neighbors('a', { relation: 'to' })).items, 'data'), [{}])
      assert.deepEqual((await two.getNode('a'))?.data, { n: 1 })
    },
  },
  {
    id: 'graph/import-many',
    title: 'Many nodes and edges are imported together, or none of them',
    async run({ open }) {
      const { one, two } = await openGraphs(open)
      const ids = Array.from({ length: 6_100 }, (_, n) => `n${n}`)
      await two.addNodes(
        'event',
        ids.map((id) => ({ id, data: {} })),
      )
      await two.connectMany(
        ids.map((id, n) => ({ source: id, relation: 'to', target: ids[(n * 7) % 6_100] as string })),
      )
      const pieces = await collect(two.exportJson())
      assert.ok(pieces.length > 1, 'a large graph comes in pieces')
      const drawing = await two.exportTo(new Drawing())
      assert.deepEqual([drawing.nodes.size, drawing.edges.size], [6_100, 6_100])
      assert.deepEqual(await one.importJson(pieces), { nodes: 6_100, edges: 6_100 })
      const before = await contentOf(one)
      await refused(() => one.importJson(pieces), 'CONFLICT_UNIQUE')
      const cutOff = [...pieces.slice(0, -1), (pieces.at(-1) as string).slice(0, -20)].map((piece) =>
        piece.replaceAll('"n', '"m'),
      )
      await refused(() => one.importJson(cutOff), { code: 'VALIDATION', paths: [''] })
      assert.deepEqual(await contentOf(one), before)
    },
  },
  {
    id: 'graph/graphology',
    title: 'A graph is copied into one of graphology and back, whose other attributes become data',
    async run({ open }) {
      const { storage, one, two } = await openGraphs(open)
      const drawing = await one.exportTo(new Drawing())
      assert.deepEqual(drawing.nodes.get('v1'), {
        label: 'venue',
        data: { name: 'Blue "Hall"', list: [1, { deep: null }] },
      })
      assert.deepEqual(drawing.edges.get('x2'), {
        source: 'v1',
        target: 'e1',
        attributes: { relation: 'hosts', data: null },
      })
      assert.deepEqual(await two.importFrom(drawing), { nodes: 2, edges: 3 })
      assert.deepEqual(await contentOf(two), await contentOf(one))
      const foreign = new Drawing()
      foreign.addNode('a', { label: 'venue', size: 3, data: 5 })
      foreign.addDirectedEdgeWithKey('e', 'a', 'a', { relation: 'to', weight: 2 })
      const three = storage.graph('three')
      await three.importFrom(foreign)
      assert.deepEqual((await three.getNode('a'))?.data, { size: 3, data: 5 })
      assert.deepEqual(pick(await three.edges(), 'data'), [{ weight: 2 }])
    },
  },
  {
    id: 'graph/import-refused',
    title: 'What is not a graph, or does not fit, is refused, and nothing is imported',
    async run({ open }) {
      const { two } = await openGraphs(open)
      const nodes = { a: { label: 'venue' }, b: { label: 'event' } }
      const bad: readonly (readonly [unknown, string])[] = [
        ['', ''],
        ['5', ''],
        ['{"graphs":[{"nodes":{}}]}', 'graphs'],
        ['{"graph":', ''],
        ['{"graph":{}} more', ''],
        ['not json', ''],
        [JSON.stringify({ graph: { nodes: { a: 5 } } }), 'nodes.a'],
        [JSON.stringify({ graph: { nodes: { ...nodes, c: {} } } }), 'nodes.c.label'],
        [JSON.stringify({ graph: { nodes, edges: [{ source: 'a', target: 'b' }] } }), 'edges.0.relation'],
        [`{"graph":{"nodes":{"a":{"label":"venue","metadata":{"__proto__":{"x":1}}}}}}`, 'nodes.a.data.__proto__'],
      ]
      for (const [source, path] of bad)
        await refused(() => two.importJson(wrong(source)), { code: 'VALIDATION', paths: [path] })
      const nowhere = JSON.stringify({ graph: { nodes, edges: [{ source: 'a', relation: 'to', target: 'c' }] } })
      await refused(() => two.importJson(nowhere), { code: 'CONSTRAINT_FOREIGN_KEY', fields: ['target'] })
      assert.deepEqual(await contentOf(two), { nodes: [], edges: [] })
    },
  },
  {
    id: 'graph/import-in-a-transaction',
    title:
      'A transaction copies a graph; an import that is refused halfway leaves nothing of itself, even where the error is caught',
    async run({ open }) {
      const { storage, one, two } = await openGraphs(open)
      const nodes = { a: { label: 'venue' } }
      const half = JSON.stringify({ graph: { nodes, edges: [{ source: 'a', target: 'a' }] } })
      const swallowing = storage.transaction(async (tx) => {
        await refused(() => tx.graph('two').importJson(half), { code: 'VALIDATION', paths: ['edges.0.relation'] })
      })
      await refused(() => swallowing, 'TRANSACTION_FAILED')
      assert.deepEqual(await contentOf(two), { nodes: [], edges: [] })
      await storage.transaction(async (tx) => {
        const nested = tx.transaction((inner) => inner.graph('two').importJson(half))
        await refused(() => nested, { code: 'VALIDATION', paths: ['edges.0.relation'] })
        await tx.graph('two').importJson(tx.graph('one').exportJson())
      })
      assert.deepEqual(await contentOf(two), await contentOf(one))
    },
  },
]
