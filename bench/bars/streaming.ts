import { openStorage } from 'holdfast'
import { probe } from '../harness/probe.ts'
import { schema } from '../peers/holdfast.ts'
import type { Bar } from './bar.ts'
import { MILLION, millionRows } from './million-rows.ts'

const LIMIT_MB = 150

/** Memory while a million rows are streamed. */
export const streaming: Bar = {
  name: 'streaming',
  title: 'streaming 1 M rows from SQLite, resident memory of the whole process',
  limit: `under ${LIMIT_MB} MB`,
  async measure({ databases, nodeOptions }) {
    const target = `sqlite:${await millionRows(databases)}`
    const { highestMb, beforeMb, rowsASecond } = await probe<Streamed>(
      import.meta.url,
      'streamAll',
      [target],
      nodeOptions,
    )
    return {
      pass: highestMb < LIMIT_MB,
      measured: `${highestMb.toFixed(0)} MB at most`,
      detail: `${beforeMb.toFixed(0)} MB before the stream began; ${Math.round(rowsASecond / 1000)} k rows a second`,
    }
  },
}

interface Streamed {
  readonly highestMb: number
  readonly beforeMb: number
  readonly rowsASecond: number
}

/** Runs in a process of its own. */
export async function streamAll(target: string): Promise<Streamed> {
  await using storage = await openStorage(target, { schema })
  const beforeMb = residentMb()
  const started = performance.now()
  let highestMb = beforeMb
  let rows = 0
  let sum = 0
  for await (const item of storage.repository('items').stream()) {
    sum += item.score
    if (++rows % 5_000 === 0) highestMb = Math.max(highestMb, residentMb())
  }
  if (rows !== MILLION || sum <= 0) throw new Error(`${rows} rows were streamed`)
  return { highestMb, beforeMb, rowsASecond: rows / ((performance.now() - started) / 1000) }
}

function residentMb(): number {
  return process.memoryUsage.rss() / 1024 / 1024
}
