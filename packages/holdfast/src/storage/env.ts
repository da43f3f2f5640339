import { ConfigurationError } from '../base/errors.ts'

/** The variables that `openStorageFromEnv` reads. */
export type Environment = Readonly<Record<string, string | undefined>>

type TargetOf = (environment: Environment) => string

const backends: Readonly<Record<string, TargetOf>> = {
  memory: () => 'memory:',
  sqlite: (environment) => `sqlite:${required(environment, 'SQLITE_PATH', './data.db')}`,
  postgres: (environment) => required(environment, 'POSTGRESQL_URL', 'postgres://user:password@localhost/database'),
}

/** Backends that are still to come. */
const LATER_BACKENDS: readonly string[] = ['mysql', 'mariadb', 'libsql', 'file']

/**
 * The target that the environment names: `STORAGE_URL`, or `STORAGE_BACKEND` (`memory` unless set) with the variable of
 * that backend.
 *
 * @throws ConfigurationError naming the variable that is missing or wrong.
 */
export function targetFromEnv(environment: Environment): string {
  const url = environment['STORAGE_URL']
  if (url !== undefined && url !== '') return url
  const backend = environment['STORAGE_BACKEND'] || 'memory'
  const targetOf = Object.hasOwn(backends, backend) ? backends[backend] : undefined
  if (targetOf !== undefined) return targetOf(environment)
  const what = LATER_BACKENDS.includes(backend) ? 'a backend that this version does not have yet' : 'not a backend'
  throw new ConfigurationError(`STORAGE_BACKEND is ${JSON.stringify(backend)}, which is ${what}.`, {
    hint: `Set it to one of ${Object.keys(backends).join(', ')}.`,
  })
}

function required(environment: Environment, name: string, example: string): string {
  const value = environment[name]
  if (value !== undefined && value !== '') return value
  throw new ConfigurationError(`${name} is not set.`, { hint: `Set it, for example ${name}=${example}.` })
}
