import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const program = `await Promise.all(['index', 'backends/sqlite/index', 'backends/postgres/index'].map((door) =>
  import(new URL(door + '.ts', '${new URL('../packages/holdfast/src/', import.meta.url)}'))))`

/**
 * Compiles the sources once for all processes that tests start: each then starts in half the time. Those that are killed would leave nothing
 * behind for the others, so one process goes before them.
 */
export default async function setup(): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-compiled-'))
  process.env['NODE_COMPILE_CACHE'] = folder
  const first = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'inherit' })
  const [code] = await once(first, 'exit')
  if (code !== 0) throw new Error(`The sources cannot be loaded: the process ended with ${code}`)
  return () => rmSync(folder, { recursive: true, force: true })
}
