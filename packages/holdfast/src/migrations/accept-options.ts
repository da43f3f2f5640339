import { type Issue, ValidationError } from '../base/errors.ts'
import { checkOptions, type OptionRule, optionRules } from '../schema/index.ts'

const { atLeast, text } = optionRules
const callback: OptionRule = { holds: (value) => typeof value === 'function', be: 'a function' }
const waitMs = atLeast(0)

type Doing =
  | 'Applying migrations'
  | 'Planning migrations'
  | 'Rolling migrations back'
  | 'Finalizing migrations'
  | 'Noting migrations as applied'

/** What each option of what is done with migrations may be. */
const rules: Readonly<Record<Doing, Readonly<Record<string, OptionRule>>>> = {
  'Applying migrations': { to: text, waitMs, onProgress: callback },
  'Planning migrations': { to: text },
  'Rolling migrations back': {
    steps: atLeast(0),
    to: { holds: (value) => value === null || text.holds(value), be: 'the name of a migration, or null for none' },
    waitMs,
  },
  'Finalizing migrations': { waitMs },
  'Noting migrations as applied': { to: text, waitMs },
}

/**
 * Checks options before anything is done: an invalid number of steps would roll everything back.
 *
 * @throws ValidationError naming every option that is unknown or has an invalid value.
 */
export function assertMigrationOptions(doing: Doing, options: unknown): void {
  const issues: Issue[] = []
  checkOptions(options, rules[doing], issues)
  if (issues.length > 0) throw new ValidationError(`${doing} was refused`, issues)
}
