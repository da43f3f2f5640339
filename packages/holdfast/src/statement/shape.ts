import { type Issue, ValidationError } from '../base/errors.ts'
import { describe } from '../schema/index.ts'

/**
 * Reads one call: gathers its parameters in order, and a key of everything about it but the values.
 * Two calls with the same key have the same statement, so that a plan made for one serves the other.
 *
 * Names may hold any character but NUL, which therefore separates the parts of a key; two of them stand before a name.
 */
export class Shape {
  key: string
  readonly parameters: unknown[] = []
  readonly issues: Issue[] = []

  constructor(key: string) {
    this.key = key
  }

  /** Adds a word of ours to the key. */
  mark(word: string): void {
    this.key += `\0${word}`
  }

  /** Adds a name of the user's to the key, which is never taken for a word of ours. */
  name(name: string): void {
    this.key += `\0\0${name}`
  }

  /** Adds a parameter and says which one it is. */
  add(value: unknown): number {
    return this.parameters.push(value) - 1
  }

  /** Adds a number of rows, such as a limit; nothing where it is undefined. */
  addCount(name: string, value: unknown): number | undefined {
    if (value === undefined) return undefined
    if (!Number.isSafeInteger(value) || (value as number) < 0) {
      this.refuse(name, `must be a whole number from 0 on, got ${describe(value)}`)
    }
    this.mark(name)
    return this.add(value)
  }

  /** Notes why the call will be refused. */
  refuse(path: string, reason: string): void {
    this.issues.push({ path, reason })
  }

  /** @throws ValidationError when anything was refused. */
  assertValid(subject: string): void {
    if (this.issues.length > 0) throw new ValidationError(subject, this.issues)
  }
}
