/**
 * A process of its own that works on a SQLite file, for tests of several: `insert` adds records one by one and says so after each;
 * `hold` opens a transaction that writes and keeps it open until it is told to go on; `notify` commits one record.
 */
import { sqlite } from '../../packages/holdfast/src/backends/sqlite/index.ts'
import { recordsSchema } from '../sqlite-records.ts'
import { Statements } from '../statements.ts'

const [path = '', task = '', name = '', driver = 'better-sqlite3'] = process.argv.slice(2)
const backend = sqlite({ path, driver: driver as 'better-sqlite3' })({ models: recordsSchema.models })
await backend.open()
const db = new Statements(backend, recordsSchema)
const say = (message: unknown): void => void process.send?.(message)
const told = new Promise((resolve) => process.once('message', resolve))

if (task === 'insert') {
  for (let number = 1; number <= 300; number++) {
    await db.insert('records', [{ name, number }])
    say(number)
  }
}
if (task === 'hold') {
  await backend.transaction({}, async (tx) => {
    await db.insert('records', [{ name, number: 1 }], {}, tx)
    say('holding')
    await told
  })
}
if (task === 'notify') {
  say('ready')
  await told
  await db.insert('records', [{ name, number: 1 }])
  await backend.notify?.('records')
}
await backend.close()
process.disconnect()
