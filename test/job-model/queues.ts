import { defineSchema, type QueueDeclaration, type QueueOptions } from '../../packages/holdfast/src/index.ts'

/** The clock of a run goes on by hours. */
export const HOUR_MS = 3_600_000
const MARGIN_MS = HOUR_MS / 10

/**
 * A duration that ends between two hours. The tests' clock runs with the real time, so nothing may be due just when the clock has come there.
 */
export function hours(count: number): number {
  return count * HOUR_MS + MARGIN_MS
}

/** In which tenth of an hour of the run something was: as exact as times are compared. */
export function tenthOf(ms: number): number {
  return Math.floor(ms / MARGIN_MS)
}

const fixed = { kind: 'fixed', firstMs: hours(0), jitter: 0 } as const
const linear = { kind: 'linear', firstMs: hours(0), jitter: 0 } as const

/** The queues of a run, each with other options. */
export const QUEUES: Readonly<Record<string, QueueOptions>> = {
  plain: { maxAttempts: 3, backoff: linear, deadLetter: 'letters', keep: { completedMs: hours(3), failed: 3 } },
  wide: { maxAttempts: 2, backoff: fixed, groupConcurrency: 2, keep: { completed: 2, failedMs: hours(2) } },
  narrow: { maxAttempts: 2, backoff: fixed, concurrency: 2, startWithinMs: hours(1) },
  rated: { backoff: fixed, rate: { max: 2, perMs: hours(1) }, deadLetter: 'letters' },
  fair: { backoff: fixed, groupRate: { max: 1, perMs: hours(1) }, groupConcurrency: 2 },
  brief: { maxAttempts: 2, backoff: fixed, keep: { completed: 0 } },
  letters: { maxAttempts: 2, backoff: fixed },
}

/** A queue of which nothing is asked but to look. */
export const IDLE = 'idle'

/** What a release of the code declares of the payloads of a queue: their version, and whether it brings earlier ones to it. */
export interface Release {
  readonly version: number
  readonly upgrades: boolean
}

export const FIRST_RELEASE: Release = { version: 1, upgrades: false }

/** Says of an earlier payload what version it had; some of the first cannot be brought to a later one. */
export function upgrade(data: unknown, fromVersion: number): unknown {
  if (fromVersion === 1 && (data as { v?: number }).v === 2) throw new Error('too old')
  return { ...(data as object), from: fromVersion }
}

/**
 * A schema with the queues, whose names get the number of the run, so that runs can share a database; and what releases other code of one of
 * them, since not every backend can be opened twice.
 */
export function releasesOf(run: number) {
  const declared = Object.entries(QUEUES).map(([name, { deadLetter, ...options }]) => {
    const own = { ...options, ...(deadLetter && { deadLetter: `${deadLetter}${run}` }) }
    return [`${name}${run}`, { kind: 'queue', options: own } as { kind: 'queue'; options: QueueOptions }] as const
  })
  const byName = new Map(declared)
  return {
    schema: defineSchema(Object.fromEntries(declared) as Record<string, QueueDeclaration>),
    release(name: string, { version, upgrades }: Release): void {
      const own = byName.get(`${name}${run}`) as { options: QueueOptions }
      const { upgrade: _, ...options } = own.options
      own.options = { ...options, version, ...(upgrades && { upgrade }) }
    },
  }
}
