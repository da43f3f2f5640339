import Database from 'better-sqlite3'
import { openStorage, type Storage } from 'holdfast'
import { probe } from '../harness/probe.ts'
import { spreadOf } from '../harness/statistics.ts'
import { Stopwatch } from '../harness/timing.ts'
import { schema } from '../peers/holdfast.ts'
import type { Bar } from './bar.ts'
import { fill, MILLION, millionRows } from './million-rows.ts'

const LIMIT = 1.5
/** Where SQLite itself grows by more than that, because the file no longer fits its cache, we may grow with it. */
const TO_RAW = 1.1
const FEW = 1_000
const ROUNDS = 15
const ROUND_MS = 200

/** Whether reading by id costs more when there is more that is not asked for. */
export const scaling: Bar = {
  name: 'scaling',
  title: '`findById` on SQLite with 1 M rows, to its time with 1 k',
  limit: `within ${LIMIT} times, or ${TO_RAW} times what better-sqlite3 by itself grows by`,
  async measure({ databases, nodeOptions }) {
    const paths = [databases.files.next('thousand'), await millionRows(databases)]
    const { holdfast, raw } = await probe<Growth>(import.meta.url, 'compareSizes', paths, nodeOptions)
    const { median, low, high } = spreadOf(holdfast)
    const rawMedian = spreadOf(raw).median
    return {
      pass: median <= Math.max(LIMIT, rawMedian * TO_RAW),
      measured: `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`,
      detail: `ids at random; better-sqlite3 by itself on the same files: ${rawMedian.toFixed(2)}`,
    }
  },
}

interface Growth {
  readonly holdfast: readonly number[]
  readonly raw: readonly number[]
}

/** Runs in a process of its own: both sizes in turn, round by round. */
export async function compareSizes(few: string, many: string): Promise<Growth> {
  const holdfast = await compareHoldfast(few, many)
  return { holdfast, raw: await compareRaw(few, many) }
}

async function compareHoldfast(few: string, many: string): Promise<number[]> {
  await using small = await openStorage(`sqlite:${few}`, { schema })
  await using large = await openStorage(`sqlite:${many}`, { schema })
  await fill(small, FEW)
  const reading = (storage: Storage<typeof schema>, rows: number) => {
    const items = storage.repository('items')
    const ids = randomIds(rows)
    return new Stopwatch((n) => items.findById(idAt(ids, n)), 1)
  }
  return await compare(reading(small, FEW), reading(large, MILLION))
}

async function compareRaw(few: string, many: string): Promise<number[]> {
  const databases = [new Database(few), new Database(many)] as const
  const reading = (database: Database.Database, rows: number) => {
    const byId = database.prepare('select * from items where id = ?')
    const ids = randomIds(rows)
    return new Stopwatch(async (n) => byId.get(idAt(ids, n)), 1)
  }
  const growth = await compare(reading(databases[0], FEW), reading(databases[1], MILLION))
  for (const database of databases) database.close()
  return growth
}

async function compare(small: Stopwatch, large: Stopwatch): Promise<number[]> {
  const growth: number[] = []
  for (let round = 0; round < ROUNDS + 2; round++) {
    const few = await small.time(ROUND_MS)
    const many = await large.time(ROUND_MS)
    growth.push(many.elapsedMs / many.operations / (few.elapsedMs / few.operations))
  }
  return growth.slice(2)
}

/** Ids in no order at all, so that no page is read because its neighbour was; made beforehand, as making them takes time. */
function randomIds(rows: number): Uint32Array {
  return Uint32Array.from({ length: 1 << 20 }, () => 1 + Math.floor(Math.random() * rows))
}

function idAt(ids: Uint32Array, n: number): number {
  return ids[n & (ids.length - 1)] as number
}
