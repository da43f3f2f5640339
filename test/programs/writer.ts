import { openStorage } from '../../packages/holdfast/src/index.ts'
import { crashSchema } from '../crash/schema.ts'

/** A process that writes without end and says what was acknowledged, to be killed by `crash.test.ts`. */
const [target = '', round = ''] = process.argv.slice(2)
const storage = await openStorage(target, { schema: crashSchema })
const lane = async (name: string): Promise<void> => {
  for (let count = 0; ; count++) {
    const id = `${round}-${name}-${count}`
    await storage.transaction(async (tx) => {
      await tx.repository('left').create({ id })
      await tx.queue('work').enqueue({ id }, { key: id })
      await tx.repository('right').create({ id })
    })
    process.stdout.write(`${id}\n`)
  }
}
await Promise.all([lane('a'), lane('b'), alone()])

/** Writes outside of transactions, several a tick, so that they are committed together. */
async function alone(): Promise<void> {
  for (let count = 0; ; count++) {
    const ids = ['x', 'y', 'z'].map((name) => `${round}-${name}-${count}`)
    await Promise.all(ids.map((id) => storage.repository('alone').create({ id })))
    process.stdout.write(`${ids.join('\n')}\n`)
  }
}
