import type { Clock } from '../base/clock.ts'
import type { Migration } from '../migrations/index.ts'
import { assertConfiguration, type OptionRule, optionRules, type Schema } from '../schema/index.ts'
import type { TargetOptions } from './targets.ts'

/** How a storage is opened. */
export interface StorageOptions<S extends Schema> extends TargetOptions {
  /** The models and queues; without one, every name is a documents collection made at its first use. */
  readonly schema?: S
  /** Creates missing tables, and collections that the schema does not declare; on unless NODE_ENV is `production`. */
  readonly autoCreate?: boolean
  /**
   * The migrations that lead to the schema, in order. A database to which they were not all applied is refused, unless `autoMigrate` is
   * on.
   */
  readonly migrations?: readonly Migration[]
  /** Applies the migrations that are pending when the storage is opened; on where `autoCreate` is. */
  readonly autoMigrate?: boolean
  /** Where the time comes from; tests give one they can move. */
  readonly clock?: Clock
  /** What the audit log does not keep: the fields of its records' data with these names, or paths from the top. */
  readonly audit?: { readonly redact?: readonly string[] }
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null

const rules: Readonly<Record<keyof StorageOptions<Schema>, OptionRule>> = {
  schema: {
    holds: (value) => isObject(value) && (value as { models?: unknown }).models instanceof Map,
    be: 'what defineSchema gave',
  },
  autoCreate: optionRules.flag,
  autoMigrate: optionRules.flag,
  migrations: { holds: Array.isArray, be: 'a list of migrations' },
  clock: {
    holds: (value) => isObject(value) && typeof (value as { now?: unknown }).now === 'function',
    be: 'an object with the function now()',
  },
  audit: {
    // A misspelt name would let through what is not to be kept.
    holds: (value) => isObject(value) && Object.keys(value as object).every((name) => name === 'redact'),
    be: "an object with nothing but redact, such as { redact: ['password'] }",
  },
  durability: optionRules.oneOf(['full', 'relaxed']),
}

/** @throws ConfigurationError naming every option that is unknown or has an invalid value. */
export function assertStorageOptions(options: unknown): void {
  assertConfiguration<StorageOptions<Schema>>('The options of the storage were refused', options, rules)
}
