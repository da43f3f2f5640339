import { peers, type Workload } from '../workloads.ts'
import { type Databases, runOnce } from './databases.ts'
import { Peer } from './peer.ts'

/** How thoroughly to measure. */
export interface Effort {
  readonly rounds: number
  /** How long a peer runs in one round. */
  readonly roundMs: number
  /** How long it runs uncounted before the first. */
  readonly warmUpMs: number
}

/** The times of one workload: milliseconds an operation, by peer, round by round. */
export interface Measured {
  readonly workload: Workload
  readonly times: ReadonlyMap<string, readonly number[]>
  /** Why a peer has no times. */
  readonly failures: ReadonlyMap<string, string>
}

interface Contestant {
  readonly peer: Peer
  readonly url: string
  readonly times: number[]
}

/**
 * Measures a workload: every peer takes its turn in every round, another one first each time, so that whatever else the machine
 * does meets all of them alike.
 */
export async function measure(
  workload: Workload,
  wanted: (peer: string) => boolean,
  effort: Effort,
  databases: Databases,
  nodeOptions: readonly string[],
): Promise<Measured> {
  const contestants: Contestant[] = []
  const failures = new Map<string, string>()
  try {
    for (const name of peers[workload.database].filter(wanted)) {
      try {
        contestants.push(await start(name, workload, databases, nodeOptions))
      } catch (error) {
        failures.set(name, error instanceof Error ? error.message : String(error))
      }
    }
    for (const { peer } of contestants) await peer.time(effort.warmUpMs)
    for (let round = 0; round < effort.rounds; round++) {
      for (let turn = 0; turn < contestants.length; turn++) {
        const { peer, url, times } = contestants[(round + turn) % contestants.length] as Contestant
        await peer.reset()
        if (workload.database === 'postgres') await runOnce(url, 'vacuum analyze items')
        times.push(await peer.time(effort.roundMs))
      }
    }
  } finally {
    await Promise.all(contestants.map(({ peer }) => peer.stop()))
  }
  return { workload, times: new Map(contestants.map(({ peer, times }) => [peer.name, times])), failures }
}

async function start(
  name: string,
  workload: Workload,
  databases: Databases,
  nodeOptions: readonly string[],
): Promise<Contestant> {
  const url =
    workload.database === 'sqlite' ? databases.files.next(name) : await (await databases.postgres()).createDatabase()
  const peer = await Peer.start(name, workload, { url, durability: workload.durability }, nodeOptions)
  return { peer, url, times: [] }
}
