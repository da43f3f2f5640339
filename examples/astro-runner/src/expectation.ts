/** Compares an answer with what was expected of it. */
import type { Expectation } from './plan.ts'

/** An answer, as far as it can be expected. */
export interface Answer {
  readonly status: number
  readonly text: string
  readonly durationMs: number
}

/** What is not as expected, one clause each; empty when all is. */
export function problemsOf(expect: Expectation, { status, text, durationMs }: Answer): string[] {
  const problems: string[] = []
  if (status !== expect.status) problems.push(`the status is ${status}, expected ${expect.status}`)
  if (expect.contains !== undefined && !text.includes(expect.contains))
    problems.push(`the body does not contain ${shown(expect.contains)}`)
  if (expect.json !== undefined) problems.push(...jsonProblems(expect.json, text))
  if (expect.withinMs !== undefined && durationMs > expect.withinMs)
    problems.push(`it took ${durationMs} ms, expected at most ${expect.withinMs} ms`)
  return problems
}

function jsonProblems(expected: unknown, text: string): string[] {
  try {
    return differences(expected, JSON.parse(text), 'body')
  } catch (error) {
    if (error instanceof SyntaxError) return ['the body is not JSON']
    throw error
  }
}

/** Objects may hold more than is expected; everything else must be equal. */
function differences(expected: unknown, actual: unknown, path: string): string[] {
  if (isObject(expected) && isObject(actual)) {
    const [wanted, found] = [Object.entries(expected), new Map(Object.entries(actual))]
    return wanted.flatMap(([name, value]) => differences(value, found.get(name), `${path}.${name}`))
  }
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length) {
    return expected.flatMap((value, index) => differences(value, actual[index], `${path}.${index}`))
  }
  if (Object.is(expected, actual)) return []
  return [`${path} is ${shown(actual)}, expected ${shown(expected)}`]
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** As JSON, which also keeps out what a database cannot hold, such as NUL characters. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing'
  return text.length > 80 ? `${text.slice(0, 80).toWellFormed()}…` : text
}
