import type { Bar } from './bar.ts'
import { bloat } from './bloat.ts'
import { cacheMemory } from './cache-memory.ts'
import { cachePostgres, cacheSqlite } from './cache-second-level.ts'
import { claims } from './claims.ts'
import { coldStart } from './cold-start.ts'
import { dataStepBars } from './data-steps.ts'
import { eventLoop } from './event-loop.ts'
import { graphBars } from './graph.ts'
import { history } from './history.ts'
import { pickUp } from './pick-up.ts'
import { pinnedSnapshot } from './pinned-snapshot.ts'
import { scaling } from './scaling.ts'
import { streaming } from './streaming.ts'
import { types } from './types.ts'

/** What Holdfast must reach beside the ratios, in the order of the page. */
export const bars: readonly Bar[] = [
  scaling,
  streaming,
  eventLoop,
  coldStart,
  history,
  types,
  pickUp,
  claims,
  pinnedSnapshot,
  bloat,
  ...graphBars,
  cacheMemory,
  cacheSqlite,
  cachePostgres,
  ...dataStepBars,
]
