import { setTimeout as sleep } from 'node:timers/promises'
import { probe } from '../harness/probe.ts'
import { quantile } from '../harness/statistics.ts'
import type { QueueModule } from '../queue/job-queue.ts'
import type { Bar } from './bar.ts'

const JOBS = 300
/** What SQLite and memory must take of the time that graphile-worker takes. */
const SHARE_WITHOUT_SERVER = 0.25

/** How soon a lone job begins on a worker that has nothing to do. */
export const pickUp: Bar = {
  name: 'pick-up',
  title: 'a lone job on an idle worker, from `enqueue` being called to its handler being called, p50 and p99',
  limit: 'Postgres no later than graphile-worker in the same run; SQLite and memory in a quarter of its time',
  async measure({ databases, nodeOptions }) {
    const server = await databases.postgres()
    const measure = async (peer: string, url: string) =>
      quantiles(await probe<number[]>(import.meta.url, 'pickUps', [peer, url], nodeOptions))
    const graphile = await measure('graphile-worker', await server.createDatabase())
    const postgres = await measure('holdfast', await server.createDatabase())
    const sqlite = await measure('holdfast', `sqlite:${databases.files.next('pick-up')}`)
    const memory = await measure('holdfast', 'memory:')
    const prompt = [sqlite, memory].every(({ p50 }) => p50 <= graphile.p50 * SHARE_WITHOUT_SERVER)
    return {
      pass: postgres.p50 <= graphile.p50 && postgres.p99 <= graphile.p99 && prompt,
      measured: `Postgres ${shown(postgres)}, SQLite ${shown(sqlite)}, memory ${shown(memory)}`,
      detail: `graphile-worker ${shown(graphile)}; ${JOBS} jobs each`,
    }
  },
}

interface Quantiles {
  readonly p50: number
  readonly p99: number
}

function quantiles(times: readonly number[]): Quantiles {
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
}

function shown({ p50, p99 }: Quantiles): string {
  return `${p50.toFixed(2)} and ${p99.toFixed(2)} ms`
}

/** Runs in a process of its own; gives milliseconds. */
export async function pickUps(peer: string, url: string): Promise<number[]> {
  const { open } = (await import(`../queue/peers/${peer}.ts`)) as QueueModule
  const queue = await open({ url, durability: 'full' })
  let arrived: (n: number) => void = () => undefined
  const stop = await queue.wait?.(({ n }) => arrived(n))
  if (stop === undefined) throw new Error(`${peer} does not say how it waits`)
  await sleep(500)
  const times: number[] = []
  for (let n = 0; n < JOBS; n++) {
    const { promise, resolve } = Promise.withResolvers<number>()
    arrived = resolve
    const started = performance.now()
    await queue.enqueue({ n })
    await promise
    times.push(performance.now() - started)
    await sleep(5 + Math.random() * 10)
  }
  await stop()
  await queue.close()
  return times
}
