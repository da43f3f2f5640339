import { MultiDirectedGraph } from 'graphology'
import { expect, it } from 'vitest'
import { openStorage } from '../storage/index.ts'

it('copies a graph into graphology itself and back', async () => {
  await using storage = await openStorage('memory:')
  const one = storage.graph('one')
  await one.addNodes('n', [
    { id: 'a', data: { size: 1 } },
    { id: 'b', data: {} },
  ])
  await one.connect('a', 'to', 'b', { weight: 2 })
  await one.connect('a', 'to', 'b')
  await one.connect('b', 'to', 'b')
  const drawing = await one.exportTo(new MultiDirectedGraph())
  expect([drawing.order, drawing.size, drawing.outNeighbors('a')]).toEqual([2, 3, ['b']])
  const two = storage.graph('two')
  await two.importFrom(drawing)
  const again = await two.exportTo(new MultiDirectedGraph())
  expect(again.export()).toEqual(drawing.export())
})
