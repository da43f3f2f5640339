/**
 * A process that migrates and is killed right after the nth statement that the database has done for it, or tells how many there were:
 * `node killed-migrator.ts TARGET up|down N`.
 */
import BetterSqlite3 from 'better-sqlite3'
import pg from 'pg'
import { openStorage } from '../../packages/holdfast/src/storage/index.ts'
import { base, crossing } from '../crash/migrations.ts'

const [target = '', direction, last] = process.argv.slice(2)
let done = 0

function statementDone(): void {
  if (++done === Number(last)) process.kill(process.pid, 'SIGKILL')
}

/** Has a method tell when it is done. */
function watch(prototype: object, name: string): void {
  const methods = prototype as Record<string, (...given: unknown[]) => unknown>
  const own = methods[name] as (...given: unknown[]) => unknown
  methods[name] = function (...given) {
    try {
      return own.apply(this, given)
    } finally {
      statementDone()
    }
  }
}

if (target.startsWith('sqlite')) {
  const statement = new BetterSqlite3(':memory:').prepare('select 1')
  watch(BetterSqlite3.prototype, 'exec')
  for (const name of ['run', 'get', 'all']) watch(Object.getPrototypeOf(statement), name)
} else {
  const { prototype } = (pg as unknown as { Connection: { prototype: { emit(event: string): boolean } } }).Connection
  const { emit } = prototype
  prototype.emit = function (event, ...rest) {
    if (event === 'commandComplete') statementDone()
    return emit.call(this, event, ...rest)
  }
}

const storage = await openStorage(target, { autoCreate: false })
storage.migrations.register(base, crossing)
if (direction === 'up') await storage.migrations.apply()
else await storage.migrations.rollback({ to: base.at(-1)?.name ?? null })
await storage.close()
process.send?.(done)
