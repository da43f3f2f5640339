import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import { Refusal } from './refusal.ts'

/** The error of a call that was refused. */
export interface Refused extends Error {
  readonly code: string
  readonly fields?: readonly string[]
  readonly issues?: readonly { readonly path: string }[]
}

/** What came of a call. */
export type Outcome = { readonly gave: unknown } | { readonly refused: Refused }

/** Makes a call. An error that is not the storage's own is none of its outcomes. */
export async function outcomeOf(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { gave: await work() }
  } catch (error) {
    if ((error as Partial<Refused>).code === undefined || (error as Error).name === 'AssertionError') throw error
    return { refused: error as Refused }
  }
}

/** Fails unless both are the same. */
export function same(actual: unknown, wanted: unknown, label: () => string): void {
  // Looked at first, since `expect` takes its time.
  if (!isDeepStrictEqual(actual, wanted)) expect(actual, label()).toStrictEqual(wanted)
}

/**
 * Fails unless a call was refused for a reason that the model has, too.
 *
 * @param wanted what the call comes to in the model.
 */
export function sameRefusal(refused: Refused, wanted: unknown, label: () => string): void {
  if (!(wanted instanceof Refusal)) throw new Error(`${label()} is refused`, { cause: refused })
  const { code, fields } = refused
  const isMeant = wanted.reasons.some((one) => one.code === code && isDeepStrictEqual(one.fields, fields))
  if (!isMeant) same({ code, fields }, wanted.reasons, label)
}
