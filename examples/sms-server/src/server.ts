/** Puts the parts together: storage, ingesters, carpenter and HTTP API, started and stopped as one. */
import { openStorage } from 'holdfast'
import { createApp } from './http/app.ts'
import { type CityStorage, schema } from './schema.ts'
import { startWork } from './work.ts'

/** Where a server keeps its data, where it listens, and where the sources are. */
export interface ServerOptions {
  /** `memory:`, `sqlite:./x.db`, `postgres://…` */
  readonly storage: string
  /** Where the sources answer. */
  readonly sources: string
  /** 127.0.0.1 unless given. */
  readonly host?: string | undefined
  /** Any free one unless given. */
  readonly port?: number | undefined
}

/** A server that listens. */
export interface Server {
  readonly url: string
  readonly storage: CityStorage
  /** Takes no more requests and no more jobs, lets those that run finish, and closes the storage. */
  close(): Promise<void>
}

/**
 * Starts a server.
 *
 * @throws what `openStorage` and listening throw; nothing is left open then.
 */
export async function startServer({
  storage: target,
  sources,
  host = '127.0.0.1',
  port = 0,
}: ServerOptions): Promise<Server> {
  const storage = await openStorage(target, { schema })
  const app = createApp(storage)
  const close = async () => {
    await app.close()
    await storage.close() // Stops its workers first.
  }
  try {
    await startWork(storage, sources)
    return { url: await app.listen({ host, port }), storage, close }
  } catch (error) {
    await close()
    throw error
  }
}
