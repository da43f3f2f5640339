/** A process that opens a storage with migrations, which are applied when it is told to go on: `node migrator.ts TARGET`. */
import { openStorage } from '../../packages/holdfast/src/storage/index.ts'
import { counters, countingUp, migrations } from '../crash/migrations.ts'

const [target = '', what = ''] = process.argv.slice(2)
process.send?.('ready')
await new Promise((resolve) => process.once('message', resolve))
const storage = await openStorage(target, {
  migrations: what === 'counting' ? [counters, countingUp] : migrations,
  autoCreate: false,
  autoMigrate: true,
})
await storage.close()
process.disconnect()
