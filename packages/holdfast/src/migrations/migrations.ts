import { MigrationError } from '../base/errors.ts'
import { assertMigrationOptions } from './accept-options.ts'
import { modelsOf } from './changes.ts'
import { type CopyProgress, copyRows } from './copy-rows.ts'
import { finalizingChanges } from './finalize.ts'
import { fitOf, fitTables, mismatch } from './fit.ts'
import type { MigrationHost } from './host.ts'
import { assertFound, type Introspection, introspect } from './introspect/introspect.ts'
import { type AppliedMigration, ledgerModel, noteBaseline, noteFinalized, readLedger, replaceRows } from './ledger.ts'
import { lockModel, MigrationLock } from './lock.ts'
import { type Migration, type ReadMigration, readMigration } from './migration.ts'
import { appliedState, assertNothingRuns, type PlannedRun, planDown, planUp, stateAfterAll } from './plan.ts'
import type { MigrationProgress, RunContext } from './prepare.ts'
import { type MigrationPlan, previewOf } from './preview.ts'
import { type Rehearsal, rehearse } from './rehearse.ts'
import { runDown, runUp } from './run.ts'
import { adoptSquashed } from './squash.ts'
import { type MigrationStatus, statusOf } from './status.ts'
import { differencesOf, type Verification } from './verify.ts'

/** A migration that was applied or rolled back just now. */
export interface MigrationRun {
  readonly name: string
  readonly durationMs: number
}

/** How migrations are applied. */
export interface ApplyOptions {
  /** The last one to apply; all unless given. */
  readonly to?: string
  /** How long to wait for another process that migrates; 5 minutes unless given. */
  readonly waitMs?: number
  /** Called after each batch of a data step. */
  readonly onProgress?: (progress: MigrationProgress) => void
}

/** How migrations are rolled back. */
export interface RollbackOptions {
  /** How many; one unless given. */
  readonly steps?: number
  /** The migration that is then the last applied one; null rolls all back. */
  readonly to?: string | null
  /** How long to wait for another process that migrates; 5 minutes unless given. */
  readonly waitMs?: number
}

/** How rows are copied. */
export interface CopyRowsOptions {
  /** The most rows that are copied. */
  readonly most: number
  readonly onProgress?: (progress: CopyProgress) => void
}

const DEFAULT_WAIT_MS = 5 * 60_000

/**
 * The migrations of a storage. Each is applied once, in the order in which they are registered, by one process at a time however many
 * start together, in a transaction with the ledger's note of it.
 */
export class Migrations {
  readonly #host: MigrationHost
  readonly #registered = new Map<string, ReadMigration>()
  /** Whether the tables of the ledger and the lock are known to be there. */
  #ready = false

  constructor(host: MigrationHost) {
    this.#host = host
  }

  /**
   * Makes migrations known, in the order in which they are to be applied. Registering the same one again changes nothing.
   *
   * @throws MigrationError for another one of the same name.
   *
   * @example
   * ```ts
   * storage.migrations.register(await loadMigrations('./migrations'))
   * ```
   */
  register(...migrations: readonly (Migration | readonly Migration[])[]): this {
    for (const migration of migrations.flat() as readonly Migration[]) {
      const read = readMigration(migration)
      const known = this.#registered.get(read.name)
      if (known !== undefined && known.checksum !== read.checksum) {
        throw new MigrationError(`There are two migrations called ${read.name}.`, { hint: 'Give one another name.' })
      }
      this.#registered.set(read.name, read)
    }
    return this
  }

  /**
   * How every migration stands: those that are applied in the order in which they were, then those that are to come.
   *
   * @example
   * ```ts
   * for (const { name, state } of await storage.migrations.status()) console.log(name, state)
   * ```
   */
  async status(): Promise<MigrationStatus[]> {
    return statusOf(this.#registered, await this.#ledger())
  }

  /**
   * Applies what is pending and gives what it applied. A migration that fails leaves the schema as it was; those before it stay applied.
   *
   * @throws MigrationError naming the migration and the step that failed, or those that were edited or are missing; TimeoutError.
   *
   * @example
   * ```ts
   * const applied = await storage.migrations.apply({ onProgress: ({ name, rows }) => console.log(name, rows) })
   * ```
   */
  async apply(options: ApplyOptions = {}): Promise<MigrationRun[]> {
    assertMigrationOptions('Applying migrations', options)
    const { to, waitMs = DEFAULT_WAIT_MS, onProgress } = options
    const registered = [...this.#registered.values()]
    const pending = planUp(registered, await this.#ledger(), to)
    if (pending.length === 0 && (await this.#missingOfFeatures()) === 0) return []
    return this.#locked(waitMs, async (lock, ledger) => {
      let position = (ledger.at(-1)?.position ?? 0) + 1
      const runs = planUp(registered, ledger, to)
      const done = await this.#run(lock, runs, (context, planned) => runUp(context, planned, position++), onProgress)
      await fitTables(this.#host.schema, this.#host.features, true)
      return done
    })
  }

  /**
   * What `apply` would do: the migrations, the SQL of each, and what to know before it is run. Nothing is done.
   *
   * @example
   * ```ts
   * for (const { name, statements, warnings } of await storage.migrations.plan()) console.log(name, statements, warnings)
   * ```
   */
  async plan(options: Pick<ApplyOptions, 'to'> = {}): Promise<MigrationPlan[]> {
    assertMigrationOptions('Planning migrations', options)
    const { to } = options
    const runs = planUp([...this.#registered.values()], await this.#ledger(), to)
    const { schema, session } = this.#host
    return previewOf(runs, schema, session.traits.sql)
  }

  /**
   * Undoes the last migrations, the last one first, and gives those it rolled back.
   *
   * @throws MigrationError for one that has no `down`, or whose `down` does not lead back; nothing is done then.
   *
   * @example
   * ```ts
   * await storage.migrations.rollback({ steps: 1 })
   * ```
   */
  async rollback(options: RollbackOptions = {}): Promise<MigrationRun[]> {
    assertMigrationOptions('Rolling migrations back', options)
    const { steps, to, waitMs = DEFAULT_WAIT_MS } = options
    const target = to === undefined ? { steps: steps ?? 1 } : { to }
    return this.#locked(waitMs, async (lock, ledger) => {
      const runs = planDown([...this.#registered.values()], ledger, target)
      return this.#run(lock, runs, (context, { migration, before }) => runDown(context, migration, before))
    })
  }

  /**
   * Drops for good what the applied migrations dropped: until then its tables and columns are kept under other names, so that a rollback gives
   * back what they held. Afterwards a rollback makes them anew, without it. Gives the names of the migrations it finalized.
   *
   * @example
   * ```ts
   * const final = await storage.migrations.finalize()
   * ```
   */
  async finalize(options: { readonly waitMs?: number } = {}): Promise<string[]> {
    assertMigrationOptions('Finalizing migrations', options)
    const { waitMs = DEFAULT_WAIT_MS } = options
    const host = this.#host
    return this.#locked(waitMs, async (lock, ledger) => {
      assertNothingRuns(ledger)
      const registered = [...this.#registered.values()]
      const final = appliedState(
        registered,
        ledger.map((row) => ({ ...row, finalized: true })),
      )
      const changes = finalizingChanges(appliedState(registered, ledger), final)
      const names = ledger.filter(({ finalized }) => !finalized).map(({ name }) => name)
      await host.alter(async (session) => {
        await lock.hold(session)
        if (changes.length > 0) await session.applySchema(changes, modelsOf(final))
        await noteFinalized(session, names)
        await lock.hold(session)
      })
      return names
    })
  }

  /**
   * Notes pending migrations as applied without running them, for a database that was made before there were migrations: it must fit what
   * they lead to. Gives their names.
   *
   * @throws MigrationError, code `SCHEMA_MISMATCH`, naming every difference.
   *
   * @example
   * ```ts
   * await storage.migrations.baseline()
   * ```
   */
  async baseline(options: Omit<ApplyOptions, 'onProgress'> = {}): Promise<string[]> {
    assertMigrationOptions('Noting migrations as applied', options)
    const { to, waitMs = DEFAULT_WAIT_MS } = options
    const { schema, session } = this.#host
    return this.#locked(waitMs, async (lock, ledger) => {
      assertNothingRuns(ledger)
      const runs = planUp([...this.#registered.values()], ledger, to)
      const live = new Map((await schema.inspect()).map((table) => [table.name, table]))
      const models = [
        ...modelsOf(
          stateAfterAll(
            runs.map(({ migration }) => migration),
            runs[0]?.before,
          ),
        ).values(),
      ]
      const fits = models.map((model) => fitOf(model, live.get(model.table), schema))
      const differences = fits.flatMap((fit) => [...fit.differences, ...fit.missing])
      if (differences.length > 0)
        throw mismatch(differences, 'Correct the database or the migrations, or apply them to an empty database.')
      const first = (ledger.at(-1)?.position ?? 0) + 1
      await session.transaction(async (inner) => {
        await lock.hold(inner)
        for (const [at, { migration }] of runs.entries()) await noteBaseline(inner, migration, first + at)
      })
      return runs.map(({ migration }) => migration.name)
    })
  }

  /**
   * Applies what is pending, undoes it, and applies it again, and compares what every table holds before and after: on a copy of the database,
   * or a scratch one, never on the real one. It reads every row.
   *
   * @throws MigrationError for a migration that cannot be applied or undone.
   */
  async rehearse(): Promise<Rehearsal> {
    return rehearse(this.#host, [...this.#registered.values()], await this.#ledger(), this)
  }

  /**
   * Makes this database, which is empty, what another one is: applies the migrations that are applied there and copies the rows of their tables.
   *
   * @throws MigrationError where there are more rows than `most`, or the migrations were applied there in another order.
   */
  async copyFrom(other: Migrations, options: CopyRowsOptions): Promise<void> {
    const ledger = await other.#ledger()
    assertNothingRuns(ledger)
    const registered = [...other.#registered.values()]
    const state = appliedState(registered, ledger)
    const [finalized, last] = [ledger.findLast((row) => row.finalized)?.name, ledger.at(-1)?.name]
    if (finalized !== undefined) {
      await this.apply({ to: finalized })
      await this.finalize()
    }
    if (last !== undefined) await this.apply({ to: last })
    const [there, here] = [ledger, await this.#ledger()].map((rows) => rows.map(({ name }) => name).join())
    if (there !== here) {
      throw new MigrationError('The migrations were applied in another order than that of their names.', {
        hint: 'Make a copy with the tools of the database, and name it: --on <url>.',
      })
    }
    await copyRows(other.#host, this.#host, state, options.most, options.onProgress)
  }

  /**
   * @throws MigrationError, code `SCHEMA_MISMATCH`, naming the registered migrations that are not applied; code `MIGRATION`, naming those that
   * are applied and were edited, or that only a newer application knows.
   */
  async assertApplied(): Promise<void> {
    if (this.#registered.size === 0) return
    const registered = [...this.#registered.values()]
    const ledger = await this.#ledger()
    appliedState(
      registered,
      ledger.filter(({ state }) => state === 'applied'),
    )
    const pending = (await this.status())
      .filter(({ state }) => state === 'pending' || state === 'running')
      .map(({ name }) => name)
    if (pending.length === 0) return
    throw new MigrationError(`The database is behind: ${pending.join(', ')} not applied.`, {
      code: 'SCHEMA_MISMATCH',
      hint: 'Run `npx holdfast migrate up`, or open it with autoMigrate: true, which applies them once however many processes start.',
      differences: pending.map((name) => `the migration ${name} is not applied`),
    })
  }

  /**
   * Reads the tables that are there into a schema, for a database that was made without Holdfast: gives the file that declares it, with what of the
   * database no schema can say.
   *
   * @throws ConfigurationError where no table can be declared.
   */
  async introspect(): Promise<Introspection> {
    const own = [...this.#host.features, ledgerModel, lockModel].map(({ table }) => table)
    const found = await introspect(this.#host.schema, new Set(own))
    assertFound(found)
    return found
  }

  /**
   * Compares the database with the schema of the storage, indexes, constraints and defaults included, and names every difference.
   *
   * @example
   * ```ts
   * const { ok, differences } = await storage.migrations.verify()
   * if (!ok) console.log(differences)
   * ```
   */
  async verify(): Promise<Verification> {
    const differences = await differencesOf(this.#host.schema, this.#host.declared)
    return { ok: differences.length === 0, differences }
  }

  async #run(
    lock: MigrationLock,
    runs: readonly PlannedRun[],
    run: (context: RunContext, planned: PlannedRun) => Promise<number>,
    onProgress?: (progress: MigrationProgress) => void,
  ): Promise<MigrationRun[]> {
    const host = this.#host
    const live = new Map((await host.schema.inspect()).map((table) => [table.name, table]))
    const done: MigrationRun[] = []
    for (const planned of runs) {
      const durationMs = await run({ host, lock, live, onProgress }, planned)
      done.push({ name: planned.migration.name, durationMs })
    }
    return done
  }

  /** How much is missing of the tables that features keep. */
  async #missingOfFeatures(): Promise<number> {
    const { schema, features } = this.#host
    if (features.length === 0) return 0
    const live = new Map((await schema.inspect()).map((table) => [table.name, table]))
    return features.flatMap((model) => fitOf(model, live.get(model.table), schema).missing).length
  }

  async #locked<T>(
    waitMs: number,
    work: (lock: MigrationLock, ledger: readonly AppliedMigration[]) => Promise<T>,
  ): Promise<T> {
    const { session } = this.#host
    for (const model of [ledgerModel, lockModel]) await session.ensureTable(model)
    this.#ready = true
    const lock = await MigrationLock.take(session, waitMs)
    try {
      return await work(lock, await this.#adopt(lock))
    } finally {
      await lock.release(session)
    }
  }

  /** The ledger, in which squashed migrations stand for those that they replace from now on. */
  async #adopt(lock: MigrationLock): Promise<readonly AppliedMigration[]> {
    const { session } = this.#host
    const { ledger, adopted } = adoptSquashed(await readLedger(session), [...this.#registered.values()])
    if (adopted.length === 0) return ledger
    await session.transaction(async (inner) => {
      await lock.hold(inner)
      for (const { row, replaced } of adopted) await replaceRows(inner, row, replaced)
    })
    return ledger
  }

  /** The ledger; nothing is written to a database that has none. */
  async #ledger(): Promise<readonly AppliedMigration[]> {
    if (!this.#ready) {
      const tables = await this.#host.schema.inspect()
      if (!tables.some(({ name }) => name === ledgerModel.table)) return []
      this.#ready = true
    }
    return adoptSquashed(await readLedger(this.#host.session), [...this.#registered.values()]).ledger
  }
}
