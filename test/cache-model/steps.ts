import fc from 'fast-check'
import { CACHES, type Call, type Life, type Step } from './calls.ts'

const key = fc.constantFrom<string | number>('a', 'b', 'c', 1, '1', '')
const tags = fc.subarray(['red', 'blue'])
const value = fc.constantFrom<unknown>(0, 'x', '', false, null, [1, null], { a: { b: [] } })
const ms = fc.constantFrom(500, 1_000, 2_000)

const life = fc.record<Life>({ ttlMs: ms, staleMs: fc.constantFrom(0, 500, 1_000), tags } as never, {
  requiredKeys: [],
})
const item = fc.tuple(fc.record({ key, value }), life).map(([one, rest]) => ({ ...one, ...rest }))
const loadLife = fc.record(
  { ttlMs: ms, staleMs: fc.constantFrom(0, 500, 1_000), tags, negativeTtlMs: ms },
  { requiredKeys: [] },
)

function of(does: Call['do'], parts: Readonly<Record<string, fc.Arbitrary<unknown>>> = {}): fc.Arbitrary<Call> {
  return fc.record({ do: fc.constant(does), cache: fc.constantFrom(...CACHES), ...parts }) as never
}

const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 4, arbitrary: of('set', { key, value, life }) },
  { weight: 2, arbitrary: of('setMany', { items: fc.array(item, { maxLength: 4 }) }) },
  { weight: 6, arbitrary: of('getOrSet', { key, loaded: fc.option(value, { nil: undefined }), life: loadLife }) },
  { weight: 4, arbitrary: of('get', { key }) },
  { weight: 2, arbitrary: of('has', { key }) },
  { weight: 2, arbitrary: of('getMany', { keys: fc.array(key, { maxLength: 4 }) }) },
  { weight: 2, arbitrary: of('delete', { key }) },
  { weight: 2, arbitrary: of('invalidateTags', { tags: fc.subarray(['red', 'blue']) }) },
  of('clear'),
  of('size'),
  of('keys'),
  { weight: 2, arbitrary: of('entries') },
)
const wait: fc.Arbitrary<Step> = fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(500, 1_000) })

/** Transactions in transactions. */
const DEPTH = 3

function stepWithin(left: number): fc.Arbitrary<Step> {
  const plain = [
    { weight: 8, arbitrary: call as fc.Arbitrary<Step> },
    { weight: 1, arbitrary: wait },
  ]
  if (left === 0) return fc.oneof(...plain)
  const transaction: fc.Arbitrary<Step> = fc.record({
    do: fc.constant('transaction'),
    steps: fc.array(stepWithin(left - 1), { minLength: 1, maxLength: 6 }),
    commits: fc.boolean(),
  })
  return fc.oneof(...plain, { weight: 1, arbitrary: transaction })
}

/** A run: what is done one after the other. */
export const runs: fc.Arbitrary<readonly Step[]> = fc.array(stepWithin(DEPTH), {
  minLength: 1,
  maxLength: 40,
  size: 'max',
})
