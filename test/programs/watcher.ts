import { openStorage } from '../../packages/holdfast/src/index.ts'
import { crashSchema } from '../crash/schema.ts'

/** A process that watches and prints what it saw, to be killed by `killed-watcher.test.ts`. Each line is a cursor and an id. */
const [target = '', after = ''] = process.argv.slice(2)
const storage = await openStorage(target, { schema: crashSchema })
const watching = storage.repository('watched').watch(undefined, { after: after === '' ? null : after, pollMs: 100 })
for await (const { cursor, id } of watching) process.stdout.write(`${cursor} ${id}\n`)
