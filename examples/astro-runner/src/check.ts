/** Runs one check against a real server. Knows nothing of storage. */
import { setTimeout as pause } from 'node:timers/promises'
import { problemsOf } from './expectation.ts'
import type { Check } from './plan.ts'

/** One request and what came of it. */
export interface Attempt {
  /** Null when there was no answer. */
  readonly status: number | null
  readonly durationMs: number
  /** What was not as expected; empty when all was. */
  readonly problems: readonly string[]
}

/** What came of a check: that of its last attempt, and all of them. */
export interface Outcome {
  readonly outcome: 'passed' | 'failed'
  readonly status: number | null
  readonly durationMs: number
  readonly attempts: Attempt[]
}

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000
const MAX_BODY_BYTES = 1024 * 1024

/**
 * Sends the request until the answer is as expected or the retries are used up.
 *
 * @throws when `signal` aborts: the check has no outcome then.
 */
export async function runCheck(target: string, check: Check, signal: AbortSignal): Promise<Outcome> {
  const attempts: Attempt[] = []
  for (;;) {
    const attempt = await attemptOnce(target, check, signal)
    attempts.push(attempt)
    const passed = attempt.problems.length === 0
    if (passed || attempts.length > check.retries) {
      const { status, durationMs } = attempt
      return { outcome: passed ? 'passed' : 'failed', status, durationMs, attempts }
    }
    await pause(Math.min(FIRST_PAUSE_MS * 2 ** (attempts.length - 1), LONGEST_PAUSE_MS), undefined, { signal })
  }
}

async function attemptOnce(target: string, check: Check, signal: AbortSignal): Promise<Attempt> {
  const started = performance.now()
  const elapsedMs = () => Math.round((performance.now() - started) * 10) / 10
  let status: number | null = null
  try {
    const response = await fetch(urlOf(target, check.path), {
      method: check.method,
      redirect: 'manual',
      headers: { ...(check.body !== undefined && { 'content-type': 'application/json' }), ...check.headers },
      ...(check.body !== undefined && { body: JSON.stringify(check.body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(check.timeoutMs)]),
    })
    status = response.status
    const text = await readText(response)
    const durationMs = elapsedMs()
    return { status, durationMs, problems: problemsOf(check.expect, { status, text, durationMs }) }
  } catch (error) {
    signal.throwIfAborted() // It is the worker that ends, not the server that fails.
    return { status, durationMs: elapsedMs(), problems: [reasonOf(error, check)] }
  }
}

function urlOf(target: string, path: string): string {
  return target.replace(/\/$/, '') + path
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > MAX_BODY_BYTES) throw new RangeError(`the body is larger than ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function reasonOf(error: unknown, { timeoutMs }: Check): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } }
  if (name === 'TimeoutError') return `no answer within ${timeoutMs} ms`
  return cause === undefined ? message : `no answer: ${cause.message || cause.code}`
}
