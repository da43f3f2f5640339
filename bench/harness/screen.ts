import type { QueueResult } from '../queue/contest.ts'
import type { Judged } from './page.ts'
import type { Measured } from './rounds.ts'
import { ratioTo, spreadOf } from './statistics.ts'

/** A workload as lines for the terminal. */
export function measuredLines({ workload, times }: Measured): string[] {
  const raw = times.get('raw') ?? []
  const lines = [...times].map(([peer, own]) => {
    const { median, low, high } = ratioTo(raw, own)
    const microseconds = (spreadOf(own).median * 1000).toFixed(2)
    return `  ${peer.padEnd(16)} ${median.toFixed(2).padStart(6)}  (${low.toFixed(2)}–${high.toFixed(2)})  ${microseconds} µs`
  })
  return [`${workload.name}  (Holdfast must reach ${workload.bar})`, ...lines]
}

/** The peers that could not run. */
export function failureLines({ failures }: Measured): string[] {
  return [...failures].map(([peer, reason]) => `  ${peer} failed: ${reason}`)
}

/** Another bar as a line. */
export function barLine({ bar, outcome }: Judged): string {
  const { pass, measured, detail } = outcome
  return `${pass ? 'pass' : 'FAIL'}  ${bar.name}: ${measured}, must be ${bar.limit}${detail === undefined ? '' : ` (${detail})`}`
}

/** The queue of a peer as a line. */
export function queueLine({ contender, enqueue, enqueueMany, lease, transaction, unleased }: QueueResult): string {
  const rates = {
    enqueue,
    enqueueMany,
    lease,
    ...(transaction !== null && { transaction }),
    ...(unleased !== null && { unleased }),
  }
  const told = Object.entries(rates).map(([name, { median }]) => `${name} ${Math.round(median).toLocaleString('en')}`)
  return `${contender.name}, jobs a second: ${told.join(', ')}`
}
