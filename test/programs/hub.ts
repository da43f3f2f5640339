import { openStorage } from '../../packages/holdfast/src/index.ts'
import { expectStatements } from '../../packages/holdfast/src/testing/query-budget.ts'

/** A process with little memory that works on a node with very many neighbours, for `hub.test.ts`; it prints what it found. */
const [target = '', count = ''] = process.argv.slice(2)
const size = Number(count)
const storage = await openStorage(target, { autoCreate: true })
const city = storage.graph('city')
const tell = (name: string, found: unknown): void => void process.stdout.write(`${JSON.stringify([name, found])}\n`)

await city.addNode('hub', {}, { id: 'hub' })
const leaf = (n: number): string => `n${String(n).padStart(8, '0')}`
for (let at = 0; at < size; at += 10_000) {
  const ids = Array.from({ length: Math.min(10_000, size - at) }, (_, n) => leaf(at + n))
  await city.addNodes(
    'leaf',
    ids.map((id) => ({ id, data: {} })),
  )
  await city.connectMany(ids.map((id) => ({ source: 'hub', relation: 'to', target: id, data: { miles: 2 } })))
}
await city.addNode('far', {}, { id: 'far' })
await city.connect(leaf(size - 1), 'to', 'far', { miles: 3 })

let after: string | null = null
let [pages, seen, last] = [0, 0, '']
do {
  const options = { relation: 'to', first: 1_000, after }
  const page: Awaited<ReturnType<typeof city.neighbors>> =
    pages === 50
      ? await expectStatements(storage, { atMost: 1 }, () => city.neighbors('hub', options))
      : await city.neighbors('hub', options)
  if (page.items.some(({ id }, at, { [at - 1]: before }) => id <= (before?.id ?? last)))
    tell('out of order', page.items[0]?.id)
  seen += page.items.length
  last = page.items.at(-1)?.id ?? ''
  pages++
  after = page.next
} while (after !== null)
tell('pages', [pages, seen])
tell('degree', await city.degree('hub'))
tell('near', (await city.traverse('hub', { maxDepth: 1 })).length)
tell('further', (await city.traverse(leaf(0), { direction: 'both', maxDepth: 2 })).length)
tell('steps', (await city.shortestPath('hub', 'far'))?.cost)
tell(
  'around',
  (await city.shortestPath(leaf(1), leaf(2), { direction: 'both' }))?.nodes.map(({ id }) => id),
)
tell('miles', (await city.shortestPath('hub', 'far', { weight: 'miles' }))?.cost)
tell('removed', await city.removeNode('hub'))
tell('left', [await city.degree(leaf(0)), (await city.edges({ limit: 3 })).length])
await storage.close()
