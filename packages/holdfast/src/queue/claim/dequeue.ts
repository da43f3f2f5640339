import { checkKnown, checkMs, checkWhole } from '../../schema/index.ts'
import { checkCall } from '../job/check-call.ts'
import type { Job } from '../job/job.ts'
import type { QueueScope } from '../job/scope.ts'
import { claim } from './claim.ts'
import { DEFAULT_LEASE_MS } from './leases.ts'
import { makeReady } from './make-ready.ts'

/** How `dequeue` takes jobs. */
export interface DequeueOptions {
  /** How long they are the caller's; 30 s unless given. */
  readonly leaseMs?: number
}

/** Takes up to `count` jobs for a caller who is no worker: first what is due becomes ready, since nobody else may see to that. */
export async function dequeue(scope: QueueScope, count: number, options: DequeueOptions): Promise<readonly Job[]> {
  checkCall(scope.queue, (issues) => {
    checkWhole(count, 1, 'count', issues)
    checkKnown(options, ['leaseMs'], '', issues)
    if (options?.leaseMs !== undefined) checkMs(options.leaseMs, 1, 'leaseMs', issues)
  })
  if ((await makeReady(scope)).paused) return []
  return (await claim(scope, count, options.leaseMs ?? DEFAULT_LEASE_MS)).jobs
}
