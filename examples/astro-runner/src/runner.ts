/** Puts the parts together: storage, HTTP API and worker, started and stopped as one. */
import { openStorage, openStorageFromEnv } from 'holdfast'
import { createApp } from './http/app.ts'
import { type RunnerStorage, schema } from './schema.ts'
import { startCheckWorker, startLostCheckWorker } from './worker.ts'

/** Where a runner keeps its data, where it listens, and how much it does at once. */
export interface RunnerOptions {
  /** `memory:`, `sqlite:./x.db`, `postgres://…`; what the environment names unless given. */
  readonly storage?: string | undefined
  /** 127.0.0.1 unless given. */
  readonly host?: string | undefined
  /** Any free one unless given. */
  readonly port?: number | undefined
  /** How many checks run at once; 8 unless given. */
  readonly workers?: number | undefined
  /** When a check is taken over from a process that died; 30 s unless given. */
  readonly leaseMs?: number | undefined
}

/** A runner that listens. */
export interface Runner {
  readonly url: string
  readonly storage: RunnerStorage
  /** Takes no more requests and no more jobs, lets those that run finish, and closes the storage. */
  close(): Promise<void>
}

/**
 * Starts a runner.
 *
 * @throws what `openStorage` and listening throw; nothing is left open then.
 */
export async function startRunner(options: RunnerOptions = {}): Promise<Runner> {
  const { host = '127.0.0.1', port = 0, workers = 8, leaseMs } = options
  const storage =
    options.storage === undefined
      ? await openStorageFromEnv({ schema })
      : await openStorage(options.storage, { schema })
  const app = createApp(storage)
  const close = async () => {
    await app.close()
    await storage.close() // Stops its workers first.
  }
  try {
    startCheckWorker(storage, { concurrency: workers, ...(leaseMs !== undefined && { leaseMs }) })
    startLostCheckWorker(storage)
    return { url: await app.listen({ host, port }), storage, close }
  } catch (error) {
    await close()
    throw error
  }
}
