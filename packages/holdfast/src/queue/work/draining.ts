import { ConfigurationError } from '../../base/errors.ts'
import type { WorkerHost } from './host.ts'
import { Worker } from './worker.ts'

/** How to make a worker like the last one of each queue, by what runs on the storage. */
const makers = new WeakMap<object, Map<string, () => Pick<Worker, 'drain'>>>()

/** Remembers how to make a worker of a queue, for `drainLikeLast`. */
export function rememberWorker<Tx>(host: WorkerHost<Tx>, queue: string, make: () => Pick<Worker, 'drain'>): void {
  const known = makers.get(host.running) ?? new Map<string, () => Pick<Worker, 'drain'>>()
  makers.set(host.running, known)
  known.set(queue, make)
}

/**
 * Runs what is due of a queue with a worker like its last one, side by side with the workers that run here, until nothing is due and they
 * are idle. Gives how many attempts ended meanwhile, theirs included.
 *
 * @throws ConfigurationError when there was no worker.
 */
export async function drainLikeLast<Tx>(host: WorkerHost<Tx>, queue: string): Promise<number> {
  const make = makers.get(host.running)?.get(queue)
  if (make === undefined) {
    throw new ConfigurationError(
      `No worker of the queue ${queue} was started here, so there is nothing to drain with.`,
      {
        hint: 'Start one with work(handler), or give the handler: drain(handler).',
      },
    )
  }
  /** Those that run or ran, with how many attempts had ended before. */
  const seen = new Map<Worker, number>()
  for (let attempts = 0; ; ) {
    const others = [...host.running].filter((one): one is Worker => one instanceof Worker && one.queue === queue)
    for (const one of others) if (!seen.has(one)) seen.set(one, one.attempts)
    const taken = takenBy(others)
    const wereIdle = others.every((one) => one.idle)
    attempts += await make().drain()
    // What a worker did meanwhile may have made more due.
    if (wereIdle && others.every((one) => one.idle) && takenBy(others) === taken) {
      for (const [one, before] of seen) attempts += one.attempts - before
      return attempts
    }
    await Promise.all(others.map((one) => one.untilIdle()))
  }
}

function takenBy(workers: readonly Worker[]): number {
  return workers.reduce((sum, { taken }) => sum + taken, 0)
}
