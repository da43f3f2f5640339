import { describe, it } from 'vitest'
import { conformanceCases, type NewDatabase, runCase } from '../packages/holdfast/src/testing/conformance/index.ts'

/** Runs the conformance suite as tests of Vitest. */
export function describeConformance(name: string, newDatabase: NewDatabase): void {
  describe(name, () => {
    for (const one of conformanceCases) {
      it(`${one.id}: ${one.title}`, async ({ skip }) => {
        const result = await runCase(one, newDatabase)
        if (result.outcome === 'skip') skip(result.reason)
        if (result.outcome === 'fail') throw result.error
      })
    }
  })
}
