import { setTimeout as sleep } from 'node:timers/promises'
import { openStorage } from '../../packages/holdfast/src/index.ts'
import { crashSchema } from '../crash/schema.ts'

/** A process that keeps an audit log and prints the id of each record that is committed, to be killed by `killed-recorder.test.ts`. */
const [target = ''] = process.argv.slice(2)
const storage = await openStorage(target, { schema: crashSchema })
const record = async (): Promise<void> => {
  for (let n = 0; ; n++) {
    const { id } =
      n % 2 === 0
        ? await storage.audit.record({ event: 'alone', data: { n } })
        : await storage.transaction((tx) => tx.audit.record({ event: 'together', data: { n } }))
    process.stdout.write(`${id}\n`)
    await sleep(5)
  }
}
await Promise.all([record(), record(), record()])
