import type { ConformanceCase, NewDatabase } from './case.ts'
import { conformanceCases } from './cases/index.ts'
import { type ConformanceOptions, type ConformanceResult, runCase } from './run.ts'

export type { ConformanceCase, ConformanceContext, NewDatabase, TestDatabase, TraitName } from './case.ts'
export { conformanceCases } from './cases/index.ts'
export { conformanceMatrix } from './matrix.ts'
export { type ConformanceOptions, type ConformanceResult, runCase } from './run.ts'

/**
 * Runs the conformance suite on a backend: every promise that programs rely on, each on a database of its own.
 *
 * @example
 * ```ts
 * const results = await runConformance(async () => ({ backend: mine({ path: ':memory:' }), remove: async () => {} }))
 * for (const result of results) if (result.outcome === 'fail') console.error(result.id, result.error)
 * ```
 */
export async function runConformance(
  newDatabase: NewDatabase,
  options: ConformanceOptions & { readonly cases?: readonly ConformanceCase[] } = {},
): Promise<readonly ConformanceResult[]> {
  const results: ConformanceResult[] = []
  for (const one of options.cases ?? conformanceCases) results.push(await runCase(one, newDatabase, options))
  return results
}
