import { monitorEventLoopDelay } from 'node:perf_hooks'
import { avg, count, openStorage, sum } from 'holdfast'
import { probe } from '../harness/probe.ts'
import { schema } from '../peers/holdfast.ts'
import type { Bar } from './bar.ts'
import { millionRows } from './million-rows.ts'

const LIMIT_MS = 20

/** Whether a heavy read holds up everything else. */
export const eventLoop: Bar = {
  name: 'event-loop',
  title: 'event-loop delay, p99, while aggregates over 1 M SQLite rows run',
  limit: `under ${LIMIT_MS} ms`,
  async measure({ databases, nodeOptions }) {
    const target = `sqlite:${await millionRows(databases)}`
    const { p99Ms, highestMs, aggregateMs } = await probe<Delay>(
      import.meta.url,
      'aggregateAndWatch',
      [target],
      nodeOptions,
    )
    return {
      pass: p99Ms < LIMIT_MS,
      measured: `${p99Ms.toFixed(1)} ms`,
      detail: `longest ${highestMs.toFixed(1)} ms; an aggregate took ${aggregateMs.toFixed(0)} ms, ${AGGREGATES} ran one after another`,
    }
  },
}

interface Delay {
  readonly p99Ms: number
  readonly highestMs: number
  readonly aggregateMs: number
}

const AGGREGATES = 5

/** Runs in a process of its own. */
export async function aggregateAndWatch(target: string): Promise<Delay> {
  await using storage = await openStorage(target, { schema })
  const items = storage.repository('items')
  await items.findById(1)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const started = performance.now()
  for (let run = 0; run < AGGREGATES; run++) {
    const select = { n: count(), total: sum('score'), mean: avg('score') }
    const groups = await items.aggregate({ groupBy: { active: 'active' }, where: { score: { gt: run } }, select })
    if (groups.length !== 2) throw new Error(`${groups.length} groups`)
  }
  const aggregateMs = (performance.now() - started) / AGGREGATES
  delay.disable()
  // The histogram counts the time between two ticks of its timer; what is above the tick is the delay.
  return { p99Ms: delay.percentile(99) / 1e6 - 1, highestMs: delay.max / 1e6 - 1, aggregateMs }
}
