/** Starts executions and tells how far they are. */
import { count, max } from 'holdfast'
import type { Execution, RunnerStorage } from './schema.ts'

/** An execution and how far it is. */
export interface ExecutionProgress extends Execution {
  readonly state: 'running' | 'passed' | 'failed'
  readonly passed: number
  readonly failed: number
  /** When its last check ended; null while some are left. */
  readonly finishedAt: Date | null
}

/**
 * Starts a plan: the execution and the jobs of all its checks come to be in one transaction, so there is never an execution that nobody
 * works on, nor a job without its execution.
 *
 * @throws NotFoundError where there is no such plan.
 */
export function startPlan(storage: RunnerStorage, planId: string): Promise<Execution> {
  return storage.transaction(async (tx) => {
    const { target, checks } = await tx.repository('plans').getById(planId)
    const execution = await tx.repository('executions').create({ planId, total: checks.length })
    await tx
      .queue('checks')
      .enqueueMany(checks.map((check, position) => ({ data: { executionId: execution.id, position, target, check } })))
    return execution
  })
}

/**
 * Adds to each execution how far it is. Nothing is counted while checks run (concurrent checks would wait for each other at the counter):
 * one aggregate over the results tells it, for however many executions.
 */
export async function withProgress<E extends Execution>(
  storage: RunnerStorage,
  executions: readonly E[],
): Promise<(E & ExecutionProgress)[]> {
  const counts = await storage.repository('results').aggregate({
    where: { executionId: { in: executions.map(({ id }) => id) } },
    groupBy: { executionId: 'executionId', outcome: 'outcome' },
    select: { n: count(), latest: max('finishedAt') },
  })
  return executions.map((execution) => {
    const own = counts.filter(({ executionId }) => executionId === execution.id)
    const passed = own.find(({ outcome }) => outcome === 'passed')?.n ?? 0
    const failed = own.find(({ outcome }) => outcome === 'failed')?.n ?? 0
    const done = passed + failed === execution.total
    const latest = Math.max(...own.map((group) => group.latest?.getTime() ?? 0))
    return {
      ...execution,
      state: done ? (failed === 0 ? 'passed' : 'failed') : 'running',
      passed,
      failed,
      finishedAt: done ? new Date(latest) : null,
    }
  })
}
