import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { kill, startProcess } from '../../../../test/crash/processes.ts'
import { testBackends } from '../../../../test/targets.ts'
import { openStorage, type Storage } from '../index.ts'

const WALKS = 60

interface Exported {
  readonly nodes: Record<string, unknown>
  readonly edges: readonly { readonly source: string; readonly target: string }[]
}

/** A graph in which every way from the start to the end leads through one of ten nodes. */
async function openCity(target: string): Promise<Storage> {
  const storage = await openStorage(target, { autoCreate: true })
  const city = storage.graph('city')
  await city.addNodes('end', [
    { id: 'start', data: {} },
    { id: 'end', data: {} },
  ])
  await city.addNodes(
    'middle',
    Array.from({ length: 10 }, (_, n) => ({ id: `middle${n}`, data: {} })),
  )
  for (let n = 0; n < 10; n++) {
    await city.connect('start', 'to', `middle${n}`)
    await city.connect(`middle${n}`, 'to', 'end')
  }
  return storage
}

/** Everything that can be asked, once. */
async function assertWhole(storage: Storage): Promise<void> {
  const city = storage.graph('city')
  for (const { node } of await city.traverse('start')) expect(node).toMatchObject({ label: /end|middle/ })
  for (const item of (await city.neighbors('start', { first: 20 })).items) expect(item.label).toBe('middle')
  const path = await city.shortestPath('start', 'end')
  const [first, second] = path?.edges ?? []
  expect([first?.source, first?.target, second?.target]).toEqual(['start', second?.source, 'end'])
  expect(path?.nodes.map(({ id }) => id)).toEqual(['start', first?.target, 'end'])
  const text = (await Array.fromAsync(city.exportJson())).join('')
  const { nodes, edges } = (JSON.parse(text) as { readonly graph: Exported }).graph
  expect(edges.filter(({ source, target }) => !(source in nodes && target in nodes))).toEqual([])
  const inside = await storage.transaction((tx) => tx.graph('city').traverse('start', { minDepth: 1 }), {
    readOnly: true,
  })
  expect(inside.length).toBeGreaterThanOrEqual(10)
}

describe.each(testBackends.filter(({ name }) => name !== 'memory'))(
  'while another process removes nodes on $name',
  ({ fresh }) => {
    it('no walk, path, neighbour or export has an edge to nowhere', { timeout: 120_000 }, async () => {
      const { target, drop } = await fresh()
      const storage = await openCity(target)
      const city = storage.graph('city')
      const before = new Set((await city.edges()).map(({ id }) => id))
      const remover = startProcess('remover.ts', target)
      try {
        await once(remover.stdout, 'data')
        for (let n = 0; n < WALKS; n++) await assertWhole(storage)
        const after = new Set((await city.edges()).map(({ id }) => id))
        expect(after.isSubsetOf(before), 'nothing was removed meanwhile').toBe(false)
      } finally {
        await kill(remover)
        await storage.close()
        await drop()
      }
    })
  },
)
