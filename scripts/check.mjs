/**
 * `npm run check`: types, those of examples included, lint, arrows, unused code, house rules, and what the published package looks like from
 * outside.
 * Prints a line a step; the output of a step only when it fails.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { relative } from 'node:path'
import { writeExamples } from './examples.mjs'
import { breaches } from './house-rules.mjs'
import { layers } from './layers.cjs'

const PACKAGE = 'packages/holdfast'

function run(command, ...args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  return { ok: status === 0, output: error === undefined ? stdout + stderr : String(error) }
}

function sources(folder) {
  return readdirSync(folder, { recursive: true }).filter(
    (name) => name.endsWith('.ts') && !/\.test(-d)?\.ts$/.test(name),
  )
}

/** tsc is green about a file that its `include` misses, so the files it saw are compared with those that git knows. */
function types() {
  const { ok, output } = run('tsc', '-p', 'tsconfig.json', '--listFiles')
  const seen = new Set(output.split('\n').map((line) => relative('.', line)))
  const listed = run('git', 'ls-files', '-co', '--exclude-standard', '*.ts')
  if (!listed.ok) return listed
  const missed = listed.output.split('\n').filter((path) => {
    // bench/ is a project of its own; a deleted file stays listed until the deletion is committed.
    return path !== '' && !path.startsWith('bench/') && !seen.has(path) && existsSync(path)
  })
  const errors = output.split('\n').filter((line) => line !== '' && !line.startsWith('/'))
  return {
    ok: ok && missed.length === 0,
    output: [...errors, ...missed.map((path) => `${path} is not type-checked`)].join('\n'),
  }
}

/** dependency-cruiser is green when it sees nothing, so what it saw is counted. */
function arrows() {
  const { ok, output } = run('depcruise', '--config', 'scripts/arrows.cjs', '--output-type', 'json', `${PACKAGE}/src`)
  const start = output.indexOf('{')
  if (start === -1) return { ok: false, output }
  const { modules, summary } = JSON.parse(output.slice(start, output.lastIndexOf('}') + 1))
  const seen = modules.filter(({ source }) => source.startsWith(`${PACKAGE}/src/`)).length
  const expected = sources(`${PACKAGE}/src`).length
  const violations = summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)
  if (seen !== expected) violations.push(`${seen} of ${expected} files were looked at`)
  for (const folder of foldersWithoutArrows(modules.map(({ source }) => source))) {
    violations.push(`${folder} has no place in scripts/layers.cjs`)
  }
  return { ok: ok && violations.length === 0, output: violations.join('\n') }
}

/** A folder that no rule names could import anything. */
function foldersWithoutArrows(paths) {
  const folders = paths.flatMap(
    (path) => path.match(/^packages\/holdfast\/src\/((?:(?:backends|queue)\/)?[^/]+)\//)?.[1] ?? [],
  )
  return [...new Set(folders)].filter((folder) => !(folder in layers))
}

function houseRules() {
  const found = breaches()
  return { ok: found.length === 0, output: found.join('\n') }
}

/** tsc is green when there is nothing to check. */
function examples() {
  const count = writeExamples()
  return count === 0 ? { ok: false, output: 'no example was found' } : run('tsc', '-p', 'test/examples')
}

const steps = [
  ['types', types],
  ['examples', examples],
  ['lint and format', () => run('biome', 'ci', '--colors=off', '--max-diagnostics=50', '.')],
  ['arrows', arrows],
  ['house rules', houseRules],
  ['build', () => run('npm', 'run', 'build', '--silent')],
  ['unused code', () => run('knip', '--no-progress')],
  ['package', () => run('publint', '--strict', PACKAGE)],
  ['package types', () => run('attw', '--pack', PACKAGE, '--profile', 'esm-only')],
  ['declarations of applications', () => run('tsc', '-p', 'test/declarations')],
]

let failed = 0
for (const [name, step] of steps) {
  const started = performance.now()
  const { ok, output } = step()
  if (!ok) failed++
  console.log(`${ok ? 'pass' : 'FAIL'}  ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  if (!ok) console.log(output.trim().replace(/^/gm, '      '))
}
process.exitCode = failed === 0 ? 0 : 1
