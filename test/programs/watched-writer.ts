import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStorage } from '../../packages/holdfast/src/index.ts'
import { crashSchema } from '../crash/schema.ts'

/** A process that writes what others watch, four at a time, to be killed by `killed-watcher.test.ts`. */
const [target = ''] = process.argv.slice(2)
const storage = await openStorage(target, { schema: crashSchema })
const write = async (): Promise<void> => {
  for (;;) {
    await storage.transaction(async (tx) => {
      await tx.repository('watched').create({ id: randomUUID() })
      await tx.repository('watched').create({ id: randomUUID() })
    })
    await sleep(20)
  }
}
await Promise.all([write(), write(), write(), write()])
