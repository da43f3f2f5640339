import { isHoldfastError, MigrationError } from '../base/errors.ts'
import { modelsOf } from './changes.ts'
import { fold } from './fold.ts'
import type { AppliedMigration } from './ledger.ts'
import { checksumOf, type ReadMigration } from './migration.ts'
import { type Parking, withoutParked } from './parking.ts'
import { NOTHING, type SchemaState } from './schema-state.ts'
import { stateContent } from './state-content.ts'
import type { Step } from './step.ts'

/** A migration that is to be run, and the state before it. */
export interface PlannedRun {
  readonly migration: ReadMigration
  readonly before: SchemaState
  /** How far it was when its process ended. */
  readonly resumed?: AppliedMigration | undefined
}

/**
 * What is to be applied, in order: all that is not, up to `to`.
 *
 * @throws MigrationError where the ledger and the migrations do not go together; nothing may be run then.
 */
export function planUp(
  migrations: readonly ReadMigration[],
  ledger: readonly AppliedMigration[],
  to: string | undefined,
): PlannedRun[] {
  const done = ledger.filter((row) => row.state === 'applied')
  const running = ledger.find((row) => row.state === 'running')
  let state = appliedState(migrations, done)
  const applied = new Set(done.map(({ name }) => name))
  const last = to === undefined ? migrations.length - 1 : indexOf(migrations, to)
  const pending = migrations
    .slice(0, last + 1)
    .filter(({ name }) => !applied.has(name))
    .sort((left, right) => Number(right.name === running?.name) - Number(left.name === running?.name))
  if (running !== undefined) assertResumable(pending, running)
  const runs = pending.map((migration) => {
    const resumed = migration.name === running?.name ? running : undefined
    const run = { migration, before: state, resumed }
    state = foldAll(state, migration.up, up(migration.name))
    assertResolves(state, migration.name)
    return run
  })
  assertSameInOrder(migrations, [...applied, ...pending.map(({ name }) => name)], state)
  return runs
}

/**
 * What is to be rolled back, the last one first.
 *
 * @param target how many, or the migration that is to be the last applied one; null for none.
 * @throws MigrationError also for one that has no `down`, or whose `down` does not lead back.
 */
export function planDown(
  migrations: readonly ReadMigration[],
  ledger: readonly AppliedMigration[],
  target: { readonly steps: number } | { readonly to: string | null },
): PlannedRun[] {
  assertNothingRuns(ledger)
  appliedState(migrations, ledger)
  const count = 'steps' in target ? target.steps : ledger.length - 1 - positionOf(ledger, target.to)
  const kept = ledger.slice(0, Math.max(0, ledger.length - count))
  const byName = new Map(migrations.map((migration) => [migration.name, migration]))
  let state = stateAfter(kept, byName)
  const runs: PlannedRun[] = []
  for (const { name, finalized } of ledger.slice(kept.length)) {
    const migration = byName.get(name) as ReadMigration
    const after = foldAll(state, migration.up, up(name), !finalized)
    assertLeadsBack(migration, after, state)
    runs.unshift({ migration, before: after })
    state = after
  }
  return runs
}

/** @throws MigrationError for a migration whose data steps are not done. */
export function assertNothingRuns(ledger: readonly AppliedMigration[]): void {
  const running = ledger.find(({ state }) => state === 'running')
  if (running === undefined) return
  throw new MigrationError(`The migration ${running.name} is half applied.`, {
    hint: 'Apply it to its end first; it goes on where it was.',
  })
}

/** The state that all migrations lead to. */
export function stateAfterAll(migrations: readonly ReadMigration[], from: SchemaState = NOTHING): SchemaState {
  return withoutParked(migrations.reduce((state, { name, up: steps }) => foldAll(state, steps, up(name)), from))
}

function hintOfNewer(ledger: readonly AppliedMigration[], known: ReadonlyMap<string, unknown>): string {
  const last = ledger.findLast(({ name }) => known.has(name))?.name
  return (
    'A newer version of the application applied them: start that one, or undo them with it first, by ' +
    `\`npx holdfast migrate down ${last === undefined ? '--all' : `--to ${last}`}\`. If they were deleted, bring them back.`
  )
}

/** The state that the applied migrations have led to, in the order in which they were applied. */
export function appliedState(migrations: readonly ReadMigration[], ledger: readonly AppliedMigration[]): SchemaState {
  const byName = new Map(migrations.map((migration) => [migration.name, migration]))
  const missing = ledger.filter(({ name }) => !byName.has(name)).map(({ name }) => name)
  if (missing.length > 0) {
    throw new MigrationError(`The database has migrations that are not registered here: ${missing.join(', ')}.`, {
      hint:
        byName.size === 0
          ? 'Open it with them: openStorage(target, { schema, migrations }).'
          : hintOfNewer(ledger, byName),
      differences: missing.map((name) => `${name} is missing`),
    })
  }
  const edited = ledger.filter(({ name, checksum }) => byName.get(name)?.checksum !== checksum).map(({ name }) => name)
  if (edited.length > 0) {
    throw new MigrationError(`Migrations were edited after they were applied: ${edited.join(', ')}.`, {
      hint: 'Bring them back to what they were, and make the change in a new migration.',
      differences: edited.map((name) => `${name} was edited`),
    })
  }
  return stateAfter(ledger, byName)
}

function stateAfter(ledger: readonly AppliedMigration[], byName: ReadonlyMap<string, ReadMigration>): SchemaState {
  return ledger.reduce((state, { name, finalized }) => {
    const { up: steps } = byName.get(name) as ReadMigration
    return foldAll(state, steps, up(name), !finalized)
  }, NOTHING)
}

/** The state after the steps of a migration. */
function foldAll(state: SchemaState, steps: readonly Step[], parking: Parking, parks = true): SchemaState {
  try {
    return steps.reduce((before, step) => fold(before, step, parks ? parking : undefined), state)
  } catch (error) {
    throw doesNotFollow(parking.migration, error)
  }
}

/** @throws MigrationError where the steps that a running migration has made are not its first steps any more. */
function assertResumable(pending: readonly ReadMigration[], { name, steps, checksum }: AppliedMigration): void {
  const migration = pending.find((one) => one.name === name)
  if (migration !== undefined && checksumOf(migration.up.slice(0, steps)) === checksum) return
  throw new MigrationError(
    `The migration ${name} is half applied, and ${migration === undefined ? 'not here' : 'was edited'}.`,
    {
      hint: `Bring its first ${steps} steps back to what they were, and apply it.`,
    },
  )
}

function up(migration: string): Parking {
  return { migration, direction: 'up' }
}

function assertResolves(state: SchemaState, name: string): void {
  try {
    modelsOf(state)
  } catch (error) {
    throw doesNotFollow(name, error)
  }
}

function doesNotFollow(name: string, error: unknown): unknown {
  if (!isHoldfastError(error)) return error
  return new MigrationError(`The migration ${name} does not follow from those before it. ${error.message}`, {
    hint: error.hint,
    cause: error,
  })
}

/** One that was merged late is applied after those that came before it elsewhere: both orders must lead to the same schema. */
function assertSameInOrder(migrations: readonly ReadMigration[], run: readonly string[], state: SchemaState): void {
  const names = new Set(run)
  const inOrder = migrations.filter(({ name }) => names.has(name))
  if (inOrder.every(({ name }, at) => run[at] === name)) return
  const other = inOrder.reduce((before, { name, up: steps }) => foldAll(before, steps, up(name)), NOTHING)
  if (stateContent(other) === stateContent(state)) return
  throw new MigrationError(
    'Migrations that come before ones that are applied lead to another schema than in their order.',
    {
      hint: 'Roll the later ones back first, or give the new ones names that come after them.',
    },
  )
}

/** @throws MigrationError for the first `down` that does not lead back; those that have none are passed over. */
export function assertLeadBack(migrations: readonly ReadMigration[]): void {
  let state = NOTHING
  for (const migration of migrations) {
    const after = foldAll(state, migration.up, up(migration.name))
    if (migration.down !== null) assertLeadsBack(migration, after, state)
    state = after
  }
}

function assertLeadsBack({ name, down }: ReadMigration, after: SchemaState, before: SchemaState): void {
  if (down === null) {
    throw new MigrationError(`The migration ${name} has no down, so it cannot be rolled back.`, {
      hint: 'Write one, or undo its change in a new migration.',
    })
  }
  if (stateContent(foldAll(after, down, { migration: name, direction: 'down' })) === stateContent(before)) return
  throw new MigrationError(`The down of the migration ${name} does not lead back to the schema before it.`, {
    hint: 'Undo in `down` every step of `up`, the last one first.',
  })
}

function positionOf(ledger: readonly AppliedMigration[], name: string | null): number {
  if (name === null) return -1
  const at = ledger.findIndex((applied) => applied.name === name)
  if (at >= 0) return at
  throw new MigrationError(`The migration ${name} is not applied.`, { hint: 'Name one that is; see status().' })
}

function indexOf(migrations: readonly ReadMigration[], name: string): number {
  const at = migrations.findIndex((migration) => migration.name === name)
  if (at >= 0) return at
  throw new MigrationError(`There is no migration ${name}.`, { hint: 'Name one that is registered; see status().' })
}
