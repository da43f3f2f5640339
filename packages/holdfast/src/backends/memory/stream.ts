import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Row } from '../../backend/index.ts'
import type { MemoryPlan } from './plan.ts'
import { Snapshot, type View } from './view.ts'

const BATCH = 1000

/**
 * Reads a select in batches from the tables as they are now, whatever is written meanwhile. Lets the event loop turn between
 * batches, so that a long read does not hold up everybody else.
 */
export async function* streamRows(
  plan: MemoryPlan,
  view: View,
  parameters: readonly unknown[],
  nowMs: number,
): AsyncGenerator<readonly Row[], void, undefined> {
  const { reading } = plan.compiledFor(view.catalog)
  if (reading === undefined) throw new TypeError('Only a select can be streamed')
  const rows = reading.find(new Snapshot(view, reading.tables), parameters, nowMs)
  for (let row = rows.next(); row !== undefined; ) {
    const batch: Row[] = []
    for (; row !== undefined && batch.length < BATCH; row = rows.next()) batch.push(reading.handOut(row))
    yield batch
    await nextTurn()
  }
}
