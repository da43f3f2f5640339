import { describe, it } from 'vitest'
import {
  type ConformanceCase,
  type ConformanceOptions,
  conformanceCases,
  type NewDatabase,
  runCase,
} from '../packages/holdfast/src/testing/conformance/index.ts'

/** Cases that spend their time waiting: for transactions that block each other, and for handlers that are given up after a second. */
const WAITING = ['isolation/', 'queue/given-up']

/** Runs the conformance suite as tests of Vitest. */
export function describeConformance(
  name: string,
  newDatabase: NewDatabase,
  { cases = conformanceCases, ...options }: ConformanceOptions & { readonly cases?: readonly ConformanceCase[] } = {},
): void {
  describe(name, () => {
    for (const one of cases) {
      const test = WAITING.some((start) => one.id.startsWith(start)) ? it.concurrent : it
      test(`${one.id}: ${one.title}`, async ({ skip }) => {
        const result = await runCase(one, newDatabase, options)
        if (result.outcome === 'skip') skip(result.reason)
        if (result.outcome === 'fail') throw result.error
      })
    }
  })
}
