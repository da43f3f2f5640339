import { MigrationError } from '../base/errors.ts'
import { diff } from './diff.ts'
import { renderMigration } from './generate.ts'
import type { AppliedMigration } from './ledger.ts'
import { type Migration, type ReadMigration, readMigration } from './migration.ts'
import { stateAfterAll } from './plan.ts'
import { literal } from './render.ts'
import { NOTHING } from './schema-state.ts'
import type { DialectSql, Step } from './step.ts'

/** Many migrations as one. */
export interface SquashedMigration {
  /** The file, in TypeScript. */
  readonly text: string
  readonly replaces: readonly string[]
  /** Migrations whose SQL or data steps are not part of it: they speak of what no schema says. */
  readonly left: readonly string[]
}

/** Writes one migration that makes on an empty database what the given ones make one after the other. */
export function squashMigrations(name: string, migrations: readonly Migration[]): SquashedMigration {
  const read = migrations.map(readMigration)
  const state = stateAfterAll(read)
  const views = [...state.views].map(
    ([view, select]): Step => ({ kind: 'createView', view, select: select as DialectSql }),
  )
  const up = [...diff(NOTHING, { ...state, views: NOTHING.views }), ...views]
  const down = [
    ...views.map((step): Step => ({ kind: 'dropView', view: (step as { view: string }).view })),
    ...diff({ ...state, views: NOTHING.views }, NOTHING),
  ]
  const replaces = read.map((one) => one.name)
  const left = read.filter(({ up: steps }) => steps.some(({ kind }) => kind === 'sql' || kind === 'data'))
  const text = renderMigration(name, up, down).replace(
    `  name: ${literal(name)},\n`,
    () => `  name: ${literal(name)},\n  replaces: ${literal(replaces)},\n`,
  )
  return { text, replaces, left: left.map((one) => one.name) }
}

/** A ledger in which squashed migrations stand for those that they replace, and what changed. */
export interface AdoptedLedger {
  readonly ledger: readonly AppliedMigration[]
  readonly adopted: readonly { readonly row: AppliedMigration; readonly replaced: readonly string[] }[]
}

/**
 * Lets a squashed migration stand for those that it replaces, where all of them are applied.
 *
 * @throws MigrationError where only some are, or what they dropped is still parked.
 */
export function adoptSquashed(
  ledger: readonly AppliedMigration[],
  registered: readonly ReadMigration[],
): AdoptedLedger {
  let rows = ledger
  const adopted: { row: AppliedMigration; replaced: readonly string[] }[] = []
  for (const { name, replaces, checksum } of registered) {
    if (replaces.length === 0 || rows.some((row) => row.name === name)) continue
    const there = rows.filter((row) => replaces.includes(row.name))
    const [first] = there
    if (first === undefined) continue
    if (there.length < replaces.length) {
      const missing = replaces.filter((one) => !there.some((row) => row.name === one))
      throw new MigrationError(`The migration ${name} replaces some that are not applied: ${missing.join(', ')}.`, {
        hint: 'Apply them first, with the version of the application that still has them.',
      })
    }
    if (!there.every(({ finalized }) => finalized)) {
      throw new MigrationError(`The migration ${name} replaces some that are not finalized.`, {
        hint: 'What they dropped may still be kept: finalize() with them first.',
      })
    }
    const row = { ...first, name, checksum }
    adopted.push({ row, replaced: replaces })
    rows = rows.flatMap((one) => (one === first ? [row] : replaces.includes(one.name) ? [] : [one]))
  }
  return { ledger: rows, adopted }
}
