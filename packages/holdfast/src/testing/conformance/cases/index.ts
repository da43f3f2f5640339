import type { ConformanceCase } from '../case.ts'
import { aggregateCases } from './aggregate.ts'
import { auditCases } from './audit.ts'
import { batchCases } from './batch.ts'
import { cacheCases } from './cache.ts'
import { cacheLoadingCases } from './cache-loading.ts'
import { cacheReadCases } from './cache-reads.ts'
import { cacheSharingCases } from './cache-sharing.ts'
import { cacheTransactionCases } from './cache-transactions.ts'
import { constraintCases } from './constraints.ts'
import { createCases } from './create.ts'
import { documentCases } from './documents.ts'
import { graphCases } from './graph.ts'
import { graphExchangeCases } from './graph-exchange.ts'
import { graphReachCases } from './graph-reach.ts'
import { graphWalkCases } from './graph-walks.ts'
import { historyCases } from './history.ts'
import { historyCarriedCases } from './history-carried.ts'
import { historyPastCases } from './history-past.ts'
import { hostileCases } from './hostile.ts'
import { includeCases } from './include.ts'
import { inputCases } from './input.ts'
import { isolationCases } from './isolation.ts'
import { joinCases } from './joins.ts'
import { lifecycleCases } from './lifecycle.ts'
import { migrationRowCases } from './migration-rows.ts'
import { migrationCases } from './migrations.ts'
import { misuseCases } from './misuse.ts'
import { nameCases } from './names.ts'
import { orderCases } from './order.ts'
import { pageCases } from './page.ts'
import { pathCases } from './paths.ts'
import { queueCases } from './queue.ts'
import { queueAfterCommitCases } from './queue-after-commit.ts'
import { queueChosenCases } from './queue-chosen.ts'
import { queueContentionCases } from './queue-contention.ts'
import { queueCrossingCases } from './queue-crossings.ts'
import { queueDrainCases } from './queue-drain.ts'
import { queueFailureCases } from './queue-failures.ts'
import { queueGroupRateCases } from './queue-group-rates.ts'
import { queueHandlerCases } from './queue-handlers.ts'
import { queueHostileCases } from './queue-hostile.ts'
import { queueKeyCases } from './queue-keys.ts'
import { queueLateCases } from './queue-late.ts'
import { queueLostWorkerCases } from './queue-lost-workers.ts'
import { queueManyCases } from './queue-many.ts'
import { queueOrderCases } from './queue-order.ts'
import { queueRandomCases } from './queue-random.ts'
import { queueRescheduleCases } from './queue-reschedule.ts'
import { queueUnleasedCases } from './queue-unleased.ts'
import { queueVersionCases } from './queue-versions.ts'
import { queueWatchCases } from './queue-watch.ts'
import { referenceCases } from './references.ts'
import { savepointCases } from './savepoints.ts'
import { scheduleCases } from './schedules.ts'
import { sqlCases } from './sql.ts'
import { streamCases } from './stream.ts'
import { tableCases } from './tables.ts'
import { transactionCases } from './transactions.ts'
import { undeclaredCases } from './undeclared.ts'
import { updateCases } from './update.ts'
import { upsertCases } from './upsert.ts'
import { valueCases } from './values.ts'
import { versionCases } from './versions.ts'
import { watchCases } from './watch.ts'
import { whereCases } from './where.ts'

/** What every backend must hold to: each case is one promise, run on a database of its own. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...nameCases,
  ...tableCases,
  ...valueCases,
  ...createCases,
  ...updateCases,
  ...upsertCases,
  ...constraintCases,
  ...referenceCases,
  ...versionCases,
  ...documentCases,
  ...whereCases,
  ...pathCases,
  ...orderCases,
  ...pageCases,
  ...streamCases,
  ...includeCases,
  ...aggregateCases,
  ...joinCases,
  ...transactionCases,
  ...savepointCases,
  ...misuseCases,
  ...isolationCases,
  ...batchCases,
  ...inputCases,
  ...hostileCases,
  ...lifecycleCases,
  ...undeclaredCases,
  ...sqlCases,
  ...queueCases,
  ...queueAfterCommitCases,
  ...queueDrainCases,
  ...queueKeyCases,
  ...queueOrderCases,
  ...queueCrossingCases,
  ...queueFailureCases,
  ...queueLateCases,
  ...queueLostWorkerCases,
  ...queueChosenCases,
  ...queueContentionCases,
  ...queueHostileCases,
  ...queueRandomCases,
  ...queueHandlerCases,
  ...queueUnleasedCases,
  ...queueVersionCases,
  ...queueWatchCases,
  ...queueRescheduleCases,
  ...queueGroupRateCases,
  ...queueManyCases,
  ...scheduleCases,
  ...migrationCases,
  ...migrationRowCases,
  ...graphCases,
  ...graphWalkCases,
  ...graphReachCases,
  ...graphExchangeCases,
  ...auditCases,
  ...cacheCases,
  ...cacheLoadingCases,
  ...cacheSharingCases,
  ...cacheTransactionCases,
  ...historyCases,
  ...historyPastCases,
  ...historyCarriedCases,
  ...cacheReadCases,
  ...watchCases,
]
