import { expect, vi } from 'vitest'
import { type ExecutionProgress, withProgress } from '../executions.ts'
import type { RunnerStorage } from '../schema.ts'

/** Resolves when all checks of an execution have a result. */
export function finished(storage: RunnerStorage, id: string): Promise<ExecutionProgress> {
  return vi.waitFor(
    async () => {
      const [execution] = await withProgress(storage, [await storage.repository('executions').getById(id)])
      expect(execution?.finishedAt).not.toBeNull()
      return execution as ExecutionProgress
    },
    { timeout: 20_000, interval: 20 },
  )
}
