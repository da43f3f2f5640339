import { defineSchema, type Migration, openStorage, type Storage, t, table } from 'holdfast'
import { sql } from 'kysely'
import type { Databases } from '../harness/databases.ts'
import { probe } from '../harness/probe.ts'
import type { Bar } from './bar.ts'
import { MILLION } from './million-rows.ts'

const LIMIT = 0.5
const LIMIT_MB = 350
const BATCH = 10_000

const columns = {
  id: t.integer().primaryKey(),
  first: t.text(),
  last: t.text(),
  points: t.integer(),
  fullName: t.text().nullable(),
}
const schema = defineSchema({ people: table(columns) })
const create: Migration = { name: '1_people', up: (m) => m.createTable('people', columns) }
const WRITTEN = "full_name = first || ' ' || last, points = id"

/** The same change as the update by hand, in each way that a data step has. */
const ways: Readonly<Record<string, Migration['up']>> = {
  set: (m) => m.data('people', { set: { fullName: 'nobody', points: 1 } }),
  sql: (m) => m.data('people', { sql: WRITTEN }),
  each: (m) => m.data('people', { each: ({ id, first, last }) => ({ fullName: `${first} ${last}`, points: id }) }),
}

/** Data steps of migrations over a million rows, beside one update by hand. */
function dataSteps(database: string, title: string, targetOf: (databases: Databases) => Promise<string>): Bar {
  return {
    name: `data-steps-${database}`,
    title: `a data step over 1 M rows in ${title}, to one update by hand`,
    limit: `\`set\` and \`sql\` at least ${LIMIT} times as fast, under ${LIMIT_MB} MB`,
    async measure({ databases, nodeOptions }) {
      const found = await probe<Measured>(import.meta.url, 'compare', [await targetOf(databases)], nodeOptions)
      const { set = 0, sql: bySql = 0, each = 0 } = found.speed
      return {
        pass: set >= LIMIT && bySql >= LIMIT && found.highestMb < LIMIT_MB,
        measured: `\`set\` ${set.toFixed(2)}, \`sql\` ${bySql.toFixed(2)}, ${found.highestMb.toFixed(0)} MB at most`,
        detail: `\`each\`, for which every row comes through JavaScript, ${each.toFixed(2)}`,
      }
    },
  }
}

/** Data steps on both databases. */
export const dataStepBars: readonly Bar[] = [
  dataSteps('sqlite', 'SQLite', async ({ files }) => `sqlite:${files.next('data-steps')}`),
  dataSteps('postgres', 'Postgres', async (databases) => (await databases.postgres()).createDatabase()),
]

interface Measured {
  readonly speed: Readonly<Record<string, number>>
  readonly highestMb: number
}

/** Runs in a process of its own: by hand before and after each way, since the file and the server change on the way. */
export async function compare(target: string): Promise<Measured> {
  await using storage = await openStorage(target, {
    schema,
    migrations: [create],
    autoCreate: false,
    autoMigrate: true,
  })
  for (let first = 0; first < MILLION; first += BATCH) {
    const rows = Array.from({ length: BATCH }, (_, at) => ({
      id: first + at,
      first: `f${first}`,
      last: `l${at}`,
      points: 0,
    }))
    await storage.repository('people').createMany(rows)
  }
  const speed: Record<string, number> = {}
  let highestMb = 0
  for (const [way, up] of Object.entries(ways)) {
    const text = way === 'set' ? "full_name = 'nobody', points = 1" : WRITTEN
    const byHand = (): Promise<number> => timed(() => sql.raw(`update people set ${text}`).execute(storage.sql))
    const before = await byHand()
    await reset(storage, target)
    storage.migrations.register({ name: `2_${way}`, up })
    const ours = await timed(() =>
      storage.migrations.apply({
        onProgress: () => {
          highestMb = Math.max(highestMb, process.memoryUsage.rss() / 1024 / 1024)
        },
      }),
    )
    await reset(storage, target)
    speed[way] = (before + (await byHand())) / 2 / ours
    await reset(storage, target)
  }
  return { speed, highestMb }
}

/** The rows as they were, in a table as compact as it was. */
async function reset(storage: Storage<typeof schema>, target: string): Promise<void> {
  await sql`update people set full_name = null, points = 0`.execute(storage.sql)
  await sql.raw(target.startsWith('sqlite') ? 'vacuum' : 'vacuum full people').execute(storage.sql)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
