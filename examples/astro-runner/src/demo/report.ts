/** The results of an execution, for people. */
import { styleText } from 'node:util'
import type { Result } from '../schema.ts'
import type { OverHttp } from './client.ts'
import { columns } from './columns.ts'

type Shown = OverHttp<Result>

/** How the answers were spread over time. */
export interface Timings {
  readonly medianMs: number
  readonly p95Ms: number
  readonly slowestMs: number
}

/** The timings of the last attempts. */
export function timingsOf(results: readonly Shown[]): Timings {
  const sorted = results.map(({ durationMs }) => durationMs).sort((left, right) => left - right)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return { medianMs: at(0.5), p95Ms: at(0.95), slowestMs: at(1) }
}

/** The whole report as text. */
export function report(results: readonly Shown[]): string {
  const failed = results.filter(({ outcome }) => outcome === 'failed')
  const retried = results.filter(({ outcome, attempts }) => outcome === 'passed' && attempts.length > 1)
  const atOnce = results.length - failed.length - retried.length
  const { medianMs, p95Ms, slowestMs } = timingsOf(results)
  return [
    styleText('green', `  ✓ ${atOnce} passed at once`),
    styleText('yellow', `  ↻ ${retried.length} passed when they were tried again`),
    columns(retried.map(row), '      '),
    styleText('red', `  ✗ ${failed.length} failed`),
    columns(failed.map(row), '      '),
    '',
    `  Answers: half within ${Math.round(medianMs)} ms, 95 % within ${Math.round(p95Ms)} ms, the slowest ${Math.round(slowestMs)} ms`,
    histogram(results.map(({ durationMs }) => durationMs)),
  ].join('\n')
}

function row({ name, outcome, attempts }: Shown): string[] {
  const tries = attempts.length === 1 ? '1 try' : `${attempts.length} tries`
  const problems = (outcome === 'failed' ? attempts.at(-1) : attempts[0])?.problems ?? []
  return [name, tries, styleText('dim', (outcome === 'failed' ? '' : 'at first ') + problems.join('; '))]
}

const BOUNDS_MS = [50, 100, 200, 400, Number.POSITIVE_INFINITY]

function histogram(durations: readonly number[]): string {
  const rows = BOUNDS_MS.map((bound, at) => {
    const from = BOUNDS_MS[at - 1] ?? 0
    const count = durations.filter((ms) => ms >= from && ms < bound).length
    const label = bound === Number.POSITIVE_INFINITY ? `${from} ms and more` : `${from} to ${bound} ms`
    return [label, `${styleText('cyan', '▇'.repeat(count))} ${count}`]
  })
  return columns(rows, '      ')
}
