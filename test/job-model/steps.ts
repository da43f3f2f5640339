import fc from 'fast-check'
import type { Asked } from './model.ts'
import { HOUR_MS, hours, QUEUES } from './queues.ts'

/** Something done to the queues. Jobs are named by numbers that are counted round among those there are when it is done. */
export type Step =
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'enqueue'; readonly queue: string; readonly jobs: readonly Asked[]; readonly many: boolean }
  | { readonly do: 'dequeue'; readonly queue: string; readonly count: number; readonly leaseMs: number }
  | ({ readonly do: 'acknowledge'; readonly result: unknown } & OfHeld)
  | ({ readonly do: 'fail'; readonly message: string; readonly retry: boolean } & OfHeld)
  | ({ readonly do: 'extend'; readonly leaseMs: number } & OfHeld)

/** A job that was taken, however long ago, by itself or by its id. */
interface OfHeld {
  readonly held: number
  readonly byId: boolean
}

const queueName = fc.constantFrom(...Object.keys(QUEUES))
const duration = fc.nat(2).map(hours)
const one = fc.nat(1_000)

const asked: fc.Arbitrary<Asked> = fc.record(
  {
    data: fc.record({ v: fc.nat(3) }),
    delayMs: duration,
    priority: fc.integer({ min: -1, max: 2 }),
    maxAttempts: fc.integer({ min: 1, max: 3 }),
  },
  { requiredKeys: ['data'] },
)

const ofHeld = { held: one, byId: fc.boolean() }

function step<Name extends Step['do']>(
  weight: number,
  name: Name,
  parts: { [Part in keyof Omit<Extract<Step, { do: Name }>, 'do'>]: fc.Arbitrary<Extract<Step, { do: Name }>[Part]> },
): fc.WeightedArbitrary<Step> {
  return { weight, arbitrary: fc.record({ do: fc.constant(name), ...parts }) as unknown as fc.Arbitrary<Step> }
}

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  step(3, 'advance', { ms: fc.integer({ min: 1, max: 3 }).map((count) => count * HOUR_MS) }),
  step(6, 'enqueue', {
    queue: queueName,
    jobs: fc.array(asked, { minLength: 1, maxLength: 3 }),
    many: fc.boolean(),
  }),
  step(6, 'dequeue', { queue: queueName, count: fc.integer({ min: 1, max: 3 }), leaseMs: duration }),
  step(4, 'acknowledge', { ...ofHeld, result: fc.constantFrom(undefined, { ok: true }) }),
  step(4, 'fail', { ...ofHeld, message: fc.constantFrom('one', 'two'), retry: fc.boolean() }),
  step(2, 'extend', { ...ofHeld, leaseMs: duration }),
)

/** A run: steps one after the other. */
export const runs: fc.Arbitrary<readonly Step[]> = fc.array(anyStep, { minLength: 1, maxLength: 40, size: 'max' })
