import { defineSchema, increment, openStorage, type Storage, t, table } from 'holdfast'
import { probe } from '../harness/probe.ts'
import { type Spread, spreadOf } from '../harness/statistics.ts'
import { Stopwatch } from '../harness/timing.ts'
import type { Bar } from './bar.ts'

const LIMIT = 1
const RECORDS = 1_000
const ROUNDS = 12
const ROUND_MS = 300

const columns = { id: t.integer().primaryKey(), name: t.text(), runs: t.integer().default(0) }
const schema = defineSchema({ plain: table(columns), kept: table(columns, { history: true }) })
type Name = 'plain' | 'kept'

/** What it costs a transaction to keep the versions of what it writes. */
export const history: Bar = {
  name: 'history',
  title: 'history: statements more in a transaction of three updates',
  limit: `at most ${LIMIT}`,
  async measure({ databases, nodeOptions }) {
    const targets = [`sqlite:${databases.files.next('history')}`, await (await databases.postgres()).createDatabase()]
    const measured: Cost[] = []
    for (const target of targets)
      measured.push(await probe<Cost>(import.meta.url, 'compareCost', [target], nodeOptions))
    const [sqlite, postgres] = measured as [Cost, Cost]
    const more = Math.max(sqlite.statements, postgres.statements)
    return {
      pass: more <= LIMIT,
      measured: String(more),
      detail: `its time, settling in the background included, to that without: SQLite ${range(sqlite.time)}, Postgres ${range(postgres.time)}`,
    }
  },
}

interface Cost {
  /** How many statements more. */
  readonly statements: number
  /** How many times as long. */
  readonly time: Spread
}

/** Runs in a process of its own: with and without in turn, round by round. */
export async function compareCost(target: string): Promise<Cost> {
  await using storage = await openStorage(target, { schema })
  for (const name of ['plain', 'kept'] as const) {
    await storage.repository(name).createMany(Array.from({ length: RECORDS }, (_, id) => ({ id, name: 'x' })))
  }
  const statements = (await count(storage, 'kept')) - (await count(storage, 'plain'))
  const [plain, kept] = [updating(storage, 'plain'), updating(storage, 'kept')]
  const times: number[] = []
  for (let round = 0; round < ROUNDS + 2; round++) {
    const without = await plain.time(ROUND_MS)
    const withHistory = await kept.time(ROUND_MS)
    times.push(withHistory.elapsedMs / withHistory.operations / (without.elapsedMs / without.operations))
  }
  return { statements, time: spreadOf(times.slice(2)) }
}

function updating(storage: Storage<typeof schema>, name: Name): Stopwatch {
  return new Stopwatch((n) => update(storage, name, n), 1)
}

function update(storage: Storage<typeof schema>, name: Name, n: number): Promise<void> {
  return storage.transaction(async (tx) => {
    const records = tx.repository(name)
    for (const step of [0, 7, 13]) await records.update((n + step) % RECORDS, { runs: increment(1) })
  })
}

/** The statements of one transaction. What is settled in the background begins later. */
async function count(storage: Storage<typeof schema>, name: Name): Promise<number> {
  let statements = 0
  const end = storage.onStatement(() => statements++)
  await update(storage, name, 0)
  end()
  return statements
}

function range({ median, low, high }: Spread): string {
  return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`
}
