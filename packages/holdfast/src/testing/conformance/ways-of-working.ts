import type { WorkOptions } from '../../queue/index.ts'

type Way = Pick<WorkOptions, 'mode' | 'leases'>

/** The ways in which a worker runs and completes a batch of jobs in one transaction. */
export const BATCH_WAYS: readonly Way[] = [{ mode: 'transaction' }, { mode: 'transaction', leases: false }]

/** The ways in which a worker runs jobs one at a time. */
export const WAYS: readonly Way[] = [{ mode: 'lease' }, ...BATCH_WAYS]
