import type { Shown } from './shown.ts'
import type { Step } from './steps.ts'

/** What came of a step: what was given, or the code of what was refused. */
export type Outcome = { readonly gave: unknown } | { readonly refused: string }

/** Does something, and gives what came of it. */
export async function outcomeOf(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { gave: await work() }
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === undefined) throw error
    return { refused: code }
  }
}

/** What is compared of what came of a step; `beside` others, who may change a job that has a key before it is looked at. */
export function shownOutcome<T>(outcome: Outcome, step: Step, show: (job: T) => Shown, beside = false): unknown {
  if (!('gave' in outcome) || !Array.isArray(outcome.gave)) return outcome
  const jobs = outcome.gave.map(show)
  if (step.do !== 'enqueue') return { gave: jobs }
  // Of jobs of a call with the same key some are given the one that has it as it was before the others: only which one it is counts.
  const isAlone = (key: string | undefined) =>
    key === undefined || (!beside && step.jobs.filter((job) => job.key === key).length === 1)
  return { gave: jobs.map((job, at) => (isAlone(step.jobs[at]?.key) ? job : job.n)) }
}
