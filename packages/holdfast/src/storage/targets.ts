import type { BackendFactory } from '../backend/index.ts'
import { ConfigurationError } from '../base/errors.ts'
import { describe } from '../schema/index.ts'

/** What every backend can be told when it is named by a target. */
export interface TargetOptions {
  /**
   * `full` (the default): what was acknowledged survives a power cut. `relaxed`: it survives a crash of the process; a power
   * cut may take the last moments. For SQLite; a Postgres server decides this for itself.
   */
  readonly durability?: 'full' | 'relaxed'
}

const KNOWN_TARGETS = 'Use memory:, sqlite:./app.db, sqlite::memory: or postgres://user:password@host/database.'

/** Schemes whose backends are still to come. */
const LATER_SCHEMES: readonly string[] = ['mysql', 'mariadb', 'libsql', 'file']

type Opener = (rest: string, options: TargetOptions, target: string) => Promise<BackendFactory>

const openers: Readonly<Record<string, Opener>> = {
  memory: async () => (await import('../backends/memory/index.ts')).memory(),
  sqlite: async (rest, options) => {
    if (rest === '') throw unknownTarget('sqlite:')
    const { sqlite } = await import('../backends/sqlite/index.ts')
    return sqlite({ path: rest, ...(options.durability !== undefined && { durability: options.durability }) })
  },
  postgres: openPostgres,
  postgresql: openPostgres,
}

async function openPostgres(_rest: string, _options: TargetOptions, target: string): Promise<BackendFactory> {
  const { postgres } = await import('../backends/postgres/index.ts')
  return postgres({ url: target })
}

/**
 * The backend that a target names: `memory:`, `sqlite:./app.db`, `sqlite::memory:`, `postgres://user@host/database`.
 *
 * @throws ConfigurationError for a target that names none; it never repeats the target, which may hold a password.
 */
export async function backendOf(target: string, options: TargetOptions): Promise<BackendFactory> {
  if (typeof target !== 'string') throw unknownTarget(`no text but ${describe(target)}`)
  const scheme = /^([a-z]+):/.exec(target)?.[1] ?? ''
  const opener = Object.hasOwn(openers, scheme) ? openers[scheme] : undefined
  if (LATER_SCHEMES.includes(scheme))
    throw new ConfigurationError(`This version has no backend for ${scheme}: targets yet.`, { hint: KNOWN_TARGETS })
  if (opener === undefined) throw unknownTarget(scheme === '' ? 'something without a scheme' : `${scheme}:`)
  return opener(target.slice(scheme.length + 1), options, target)
}

function unknownTarget(what: string): ConfigurationError {
  return new ConfigurationError(`The storage target is ${what}, which names no backend.`, {
    hint: KNOWN_TARGETS,
  })
}
