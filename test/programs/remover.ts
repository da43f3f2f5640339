import { openStorage } from '../../packages/holdfast/src/index.ts'

/** A process that takes nodes out of a graph and puts them back in, with all their edges, until it is killed by `removed-meanwhile.test.ts`. */
const [target = ''] = process.argv.slice(2)
const storage = await openStorage(target, { autoCreate: true })
const city = storage.graph('city')
process.stdout.write('ready\n')
for (let n = 0; ; n = (n + 1) % 10) {
  const id = `middle${n}`
  await city.removeNode(id)
  await storage.transaction(async (tx) => {
    const inside = tx.graph('city')
    await inside.addNode('middle', {}, { id })
    await inside.connectMany([
      { source: 'start', relation: 'to', target: id },
      { source: id, relation: 'to', target: id },
      { source: id, relation: 'to', target: 'end' },
    ])
  })
}
