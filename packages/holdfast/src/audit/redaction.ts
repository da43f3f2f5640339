import { ConfigurationError } from '../base/errors.ts'
import { describe } from '../schema/index.ts'

/** What stands in place of a value that is not to be kept. */
const REDACTED = '[redacted]'

/**
 * Takes named fields out of what is recorded, before it is written: a name counts at any depth, a path such as `card.number` from the
 * top. Upper and lower case count as the same, so that `password` also stops `Password`.
 */
export class Redaction {
  readonly #names: ReadonlySet<string>

  /** @throws ConfigurationError for names that are not text. */
  constructor(names: readonly string[]) {
    if (!Array.isArray(names) || names.some((name) => typeof name !== 'string' || name === '')) {
      throw new ConfigurationError(`The fields to redact must be a list of names, got ${describe(names)}.`, {
        hint: "Write audit: { redact: ['password', 'card.number'] }.",
      })
    }
    this.#names = new Set(names.map((name) => name.toLowerCase()))
  }

  /** Replaces the named fields of a JSON value that nobody else holds, and gives it. */
  apply(value: unknown): unknown {
    if (this.#names.size > 0) this.#within(value, '')
    return value
  }

  #within(value: unknown, path: string): void {
    if (typeof value !== 'object' || value === null) return
    if (Array.isArray(value)) {
      for (const element of value) this.#within(element, path)
      return
    }
    for (const [name, member] of Object.entries(value)) {
      const at = `${path}${name.toLowerCase()}`
      if (this.#names.has(name.toLowerCase()) || this.#names.has(at))
        (value as Record<string, unknown>)[name] = REDACTED
      else this.#within(member, `${at}.`)
    }
  }
}
