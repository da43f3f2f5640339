import { createHash } from 'node:crypto'
import { contentOf } from '../backend/index.ts'
import { MigrationError } from '../base/errors.ts'
import { Column } from '../schema/index.ts'
import { MigrationSteps } from './recorder.ts'
import type { Step } from './step.ts'

/**
 * A migration: how the database gets from one schema to the next, and back.
 *
 * @example
 * ```ts
 * const addAge: Migration = {
 *   name: '20260301120000_add_age',
 *   up(m) {
 *     m.addColumn('users', 'age', t.integer().nullable())
 *   },
 *   down(m) {
 *     m.dropColumn('users', 'age')
 *   },
 * }
 * ```
 */
export interface Migration {
  /** Unique, and never changed once it is applied. */
  readonly name: string
  /** For a squashed migration: those that it stands for, where they are applied. */
  readonly replaces?: readonly string[]
  /** Notes the steps that make the change. It does nothing else: it is called often. */
  up(m: MigrationSteps): void
  /** Notes the steps that undo it. One without cannot be rolled back. */
  down?(m: MigrationSteps): void
}

/** A migration whose steps were noted. */
export interface ReadMigration {
  readonly name: string
  readonly up: readonly Step[]
  /** Null where it cannot be rolled back. */
  readonly down: readonly Step[] | null
  readonly replaces: readonly string[]
  /** Tells whether the steps of `up` are still what they were; not how the file is written. */
  readonly checksum: string
}

/** @throws MigrationError for one that is not a migration, or whose functions fail or give a promise. */
export function readMigration(migration: Migration): ReadMigration {
  const { name, up: noteUp } = (migration as Partial<Migration> | null | undefined) ?? {}
  if (typeof name !== 'string' || name === '' || typeof noteUp !== 'function') {
    throw new MigrationError('A migration has a name and a function `up`.', {
      hint: 'Write { name, up(m) { … }, down(m) { … } }.',
    })
  }
  const up = stepsOf(migration, 'up')
  const down = migration.down === undefined ? null : stepsOf(migration, 'down')
  return { name, up, down, replaces: migration.replaces ?? [], checksum: checksumOf(up) }
}

/** A text that tells steps apart. */
export function checksumOf(steps: readonly Step[]): string {
  return createHash('sha256')
    .update(contentOf(steps.map(plain)))
    .digest('hex')
    .slice(0, 32)
}

function stepsOf(migration: Migration, direction: 'up' | 'down'): readonly Step[] {
  const recorder = new MigrationSteps()
  const given: unknown = migration[direction]?.(recorder)
  if (given === undefined) return recorder.steps
  throw new MigrationError(`The function ${direction} of ${migration.name} gave something back.`, {
    hint: 'It only notes steps and is not async; nothing is done before all of them are noted.',
  })
}

/** A step as JSON can have it: without functions and without what only checks values in the program. */
export function plain(value: unknown): unknown {
  if (value instanceof Column) {
    const { schema, default: given, ...definition } = value.definition
    const stored = given?.kind === 'function' || given?.kind === 'id' ? { kind: given.kind } : given
    return { ...definition, ...(stored !== undefined && { default: plain(stored) }) }
  }
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(plain)
  const entries = Object.entries(value).filter(([name, inner]) => name !== 'schema' && typeof inner !== 'function')
  return Object.fromEntries(entries.map(([name, inner]) => [name, plain(inner)]))
}
