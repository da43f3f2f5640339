import type { Contest, GraphTimes } from '../graph/measure.ts'
import type { Databases } from '../harness/databases.ts'
import { probe } from '../harness/probe.ts'
import { ratioTo } from '../harness/statistics.ts'
import type { Bar } from './bar.ts'

const WALKS = 0.8
const IMPORT = 0.5
const TARGETS = 7

/** Graphs beside what one would write by hand: the better of a recursive query and a search by level. */
export const graphBars: readonly Bar[] = [graphBar('sqlite'), graphBar('postgres')]

function graphBar(database: 'sqlite' | 'postgres'): Bar {
  return {
    name: `graph-${database}`,
    title: `Graph of 10 k nodes and 100 k edges on ${database === 'sqlite' ? 'SQLite' : 'Postgres'}, to the better way by hand`,
    limit: `neighbours, reach of depth 3 and shortest path ${WALKS}, import of all edges ${IMPORT}`,
    async measure({ databases, nodeOptions }) {
      const targets = await targetsOn(database, databases)
      const module = new URL('../graph/measure.ts', import.meta.url).href
      const times = await probe<GraphTimes>(module, 'measureGraph', [targets], nodeOptions)
      const [neighbors, reach, path, bulk] = [times.neighbors, times.reach, times.path, times.bulkImport].map(
        ratioToBest,
      ) as [number, number, number, number]
      const ratios = { neighbours: neighbors, reach, path, import: bulk }
      return {
        pass: Math.min(neighbors, reach, path) >= WALKS && bulk >= IMPORT,
        measured: Object.entries(ratios)
          .map(([name, ratio]) => `${name} ${ratio.toFixed(2)}`)
          .join(', '),
        detail: `milliseconds: ${Object.entries(times).map(describe).join('; ')}`,
      }
    },
  }
}

async function targetsOn(database: 'sqlite' | 'postgres', databases: Databases): Promise<string[]> {
  const targets: string[] = []
  while (targets.length < TARGETS) {
    targets.push(
      database === 'sqlite'
        ? `sqlite:${databases.files.next('graph')}`
        : await (await databases.postgres()).createDatabase(),
    )
  }
  return targets
}

/** How many times as fast as the best by hand. */
function ratioToBest({ holdfast, byHand }: Contest): number {
  return Math.min(...Object.values(byHand).map((times) => ratioTo(times, holdfast).median))
}

function describe([name, { holdfast, byHand }]: [string, Contest]): string {
  const ways = Object.entries({ holdfast, ...byHand }).map(([way, times]) => `${way} ${middle(times).toFixed(3)}`)
  return `${name}: ${ways.join(', ')}`
}

function middle(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN
}
