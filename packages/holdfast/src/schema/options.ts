import type { Issue } from '../base/errors.ts'
import { describe } from './accept.ts'

/** Adds an issue for every option that is none of the known ones. */
export function checkKnown(options: object, known: readonly string[], prefix: string, issues: Issue[]): void {
  for (const option of Object.keys(options)) {
    if (!known.includes(option))
      issues.push({ path: prefix + option, reason: `is no option; there are ${known.join(', ')}` })
  }
}

/** Adds an issue unless the value is a safe integer that is large enough. */
export function checkWhole(value: unknown, least: number, path: string, issues: Issue[]): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return
  issues.push({ path, reason: `must be a whole number from ${least} on, got ${describe(value)}` })
}
