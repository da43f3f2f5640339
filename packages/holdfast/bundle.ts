/**
 * How the package is built: a file for each door, and what several doors share in files beside them. A program that imports
 * hundreds of small modules waits for each of them to be found and read; these few load in a third of the time.
 *
 * The libraries used at run time are built in, but for the drivers and other peers that the user chooses.
 * `tsc` writes the declarations, in `dist/types`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Plugin, rolldown } from 'rolldown'
import packageJson from './package.json' with { type: 'json' }

const peers = Object.keys(packageJson.peerDependencies)

const bundle = await rolldown({
  cwd: import.meta.dirname,
  input: {
    index: 'src/index.ts',
    memory: 'src/backends/memory/index.ts',
    sqlite: 'src/backends/sqlite/index.ts',
    postgres: 'src/backends/postgres/index.ts',
    testing: 'src/testing/index.ts',
    opentelemetry: 'src/opentelemetry/index.ts',
    cli: 'src/cli/main.ts',
    // Found by its name, beside whichever file starts it.
    'worker-thread': 'src/backends/sqlite/worker-thread.ts',
  },
  platform: 'node',
  external: (id) => peers.some((peer) => id === peer || id.startsWith(`${peer}/`)),
  // As `sideEffects` in package.json says; the libraries have none either.
  treeshake: { moduleSideEffects: false },
  plugins: [licenses()],
})
await bundle.write({
  dir: join(import.meta.dirname, 'dist'),
  sourcemap: true,
  entryFileNames: '[name].js',
  chunkFileNames: 'shared-[hash].js',
})

/** Writes the licences of the libraries that are built in, as they ask for. */
function licenses(): Plugin {
  return {
    name: 'licenses',
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
      const folders = new Set(modules.filter((id) => id.includes('/node_modules/')).map(packageFolder))
      const texts = [...folders].map(licenseOf).toSorted()
      this.emitFile({
        type: 'asset',
        fileName: 'THIRD-PARTY-LICENSES.txt',
        source: texts.join(`\n${'-'.repeat(80)}\n\n`),
      })
    },
  }
}

function packageFolder(module: string): string {
  let folder = dirname(module)
  while (!existsSync(join(folder, 'package.json')) || manifest(folder).name === undefined) folder = dirname(folder)
  return folder
}

function licenseOf(folder: string): string {
  const { name, version, license } = manifest(folder)
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  if (file === undefined) throw new Error(`${name} has no licence file to pass on`)
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`
}

function manifest(folder: string): { name?: string; version?: string; license?: string } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}
