import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join, parse } from 'node:path'
import { rolldown } from 'rolldown'
import type { TestProject } from 'vitest/node'
import packageJson from '../packages/holdfast/package.json' with { type: 'json' }

const root = join(import.meta.dirname, '..')
const programs = readdirSync(join(import.meta.dirname, 'programs')).map((file) => [
  parse(file).name,
  join(import.meta.dirname, 'programs', file),
])

/**
 * Builds the programs that tests start as processes, and `holdfast` for those of the examples: each then starts in a fifth of the time that
 * it takes to find, read and strip hundreds of sources. TEST_PROGRAMS names the folder; `programPath` knows the files in it.
 */
export default async function setup(project: TestProject): Promise<() => void> {
  // Not among other temporary files: the drivers, which are not built in, are found from here.
  const cache = join(root, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'holdfast-programs-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove) // also when they cannot be built, or the run is interrupted
  chmodSync(folder, 0o755) // Some programs run as another user.
  process.env['TEST_PROGRAMS'] = folder
  await build(folder)
  project.onTestsRerun(() => build(folder))
  await compile(folder)
  return remove
}

async function build(folder: string): Promise<void> {
  const source = join(root, 'packages/holdfast/src')
  await using bundle = await rolldown({
    input: {
      ...Object.fromEntries(programs),
      holdfast: join(source, 'index.ts'),
      // Found by its name, beside whichever file starts it.
      'worker-thread': join(source, 'backends/sqlite/worker-thread.ts'),
    },
    platform: 'node',
    external: Object.keys(packageJson.peerDependencies),
  })
  await bundle.write({ dir: folder, entryFileNames: '[name].js', chunkFileNames: 'shared-[hash].js' })
}

/** Compiles them once for all. Those that are killed would leave nothing behind for the others, so one process goes before them. */
async function compile(folder: string): Promise<void> {
  process.env['NODE_COMPILE_CACHE'] = join(folder, 'compiled')
  const text = `await Promise.all(['./holdfast.js', 'better-sqlite3', 'pg'].map((name) => import(name)))`
  const options = ['--input-type=module', '--eval', text]
  const [code] = await once(spawn(process.execPath, options, { cwd: folder, stdio: 'inherit' }), 'exit')
  if (code !== 0) throw new Error(`The programs cannot be loaded: the process ended with ${code}`)
}
