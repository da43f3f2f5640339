import { ConfigurationError } from '../base/errors.ts'

/** @throws ConfigurationError for what cannot be part of the name of a file everywhere. */
export function checkMigrationName(name: string): void {
  if (/^[\w-]+$/.test(name)) return
  throw new ConfigurationError(`A migration cannot be called ${JSON.stringify(name)}.`, {
    hint: 'Use letters, digits, _ and -.',
  })
}

/** What the name of a migration begins with: migrations are in the order of their names. */
export function timestamp(now: Date): string {
  return now.toISOString().slice(0, 19).replaceAll(/\D/g, '')
}
