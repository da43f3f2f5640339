/**
 * `npm run check`: types, lint, arrows, unused code, house rules, and what the published package looks like from outside.
 * Prints a line a step; the output of a step only when it fails.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { breaches } from './house-rules.mjs'

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
  return { ok: ok && violations.length === 0, output: violations.join('\n') }
}

function houseRules() {
  const found = breaches()
  return { ok: found.length === 0, output: found.join('\n') }
}

const steps = [
  ['types', () => run('tsc', '-p', 'tsconfig.json')],
  ['lint and format', () => run('biome', 'ci', '--max-diagnostics=50', '.')],
  ['arrows', arrows],
  ['house rules', houseRules],
  ['build', () => run('npm', 'run', 'build', '--silent')],
  ['unused code', () => run('knip', '--no-progress')],
  ['package', () => run('publint', '--strict', PACKAGE)],
  ['package types', () => run('attw', '--pack', PACKAGE, '--profile', 'esm-only')],
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
