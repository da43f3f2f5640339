import { describe, it } from 'vitest'
import {
  type ConformanceCase,
  type ConformanceOptions,
  conformanceCases,
  type NewDatabase,
  runCase,
} from '../packages/holdfast/src/testing/conformance/index.ts'

/** Cases that spend their time waiting: for transactions that block each other, handlers that are given up after a second, and delays. */
const WAITING = /^(isolation\/|queue\/(given-up|timeout$|due-in-time$))/

/** Runs the conformance suite as tests of Vitest. */
export function describeConformance(
  name: string,
  newDatabase: NewDatabase,
  { cases = conformanceCases, ...options }: ConformanceOptions & { readonly cases?: readonly ConformanceCase[] } = {},
): void {
  describe(name, () => {
    const waits = ({ id }: ConformanceCase): boolean => WAITING.test(id)
    // Only neighbours wait side by side.
    const inOrder = [...cases.filter((one) => !waits(one)), ...cases.filter(waits)]
    for (const one of inOrder) {
      const test = waits(one) ? it.concurrent : it
      test(`${one.id}: ${one.title}`, async ({ skip }) => {
        const result = await runCase(one, newDatabase, options)
        if (result.outcome === 'skip') skip(result.reason)
        if (result.outcome === 'fail') throw result.error
      })
    }
  })
}
