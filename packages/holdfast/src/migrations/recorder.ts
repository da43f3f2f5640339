import { MigrationError } from '../base/errors.ts'
import type { Columns, Documents, DocumentsOptions, Table, TableOptions } from '../schema/index.ts'
import { documents, table, withPlainCheck } from '../schema/index.ts'
import type { AnyColumn, DataStep, DialectSql, Step, StepReference } from './step.ts'

/**
 * What `up` and `down` are given: each call notes one step, and nothing is done before all are noted. Names are those of TypeScript, and
 * become those of the database as they do in a schema.
 */
export class MigrationSteps {
  /** The steps noted so far. */
  readonly steps: Step[] = []

  /**
   * Makes a table.
   *
   * @example
   * ```ts
   * m.createTable('users', { id: t.id(), name: t.text() }, { unique: ['name'] })
   * ```
   */
  createTable(name: string, columns: Columns | Table | Documents, options?: TableOptions<never, string>): void {
    const declaration = isDeclaration(columns) ? columns : table(columns, options as TableOptions<never, never>)
    this.steps.push({ kind: 'createTable', table: name, declaration: declaration as Table | Documents })
  }

  /**
   * Makes the table of a documents collection.
   *
   * @example
   * ```ts
   * m.createDocuments('plans', { indexes: ['status', 'owner.team'] })
   * ```
   */
  createDocuments(name: string, options: DocumentsOptions = {}): void {
    this.steps.push({ kind: 'createTable', table: name, declaration: documents(options) })
  }

  /** Drops a table with its rows. Nothing may refer to it. */
  dropTable(name: string): void {
    this.steps.push({ kind: 'dropTable', table: name })
  }

  /**
   * Calls a table otherwise; what refers to it goes on to.
   *
   * @example
   * ```ts
   * m.renameTable('users', 'people')
   * ```
   */
  renameTable(name: string, to: string): void {
    this.steps.push({ kind: 'renameTable', table: name, to })
  }

  /**
   * Adds a column, with its own unique index, check and reference. Rows that are there get its default, or `fill`, which one that is
   * required and has no default needs.
   *
   * @example
   * ```ts
   * m.addColumn('users', 'joined', t.timestamp(), { fill: new Date('2026-01-01') })
   * ```
   */
  addColumn(name: string, column: string, definition: AnyColumn, options: { readonly fill?: unknown } = {}): void {
    this.steps.push({
      kind: 'addColumn',
      table: name,
      column,
      definition: withPlainCheck(column, definition),
      fill: fillOf(options),
    })
  }

  /** Drops a column with its values, and the indexes and checks that speak of it. */
  dropColumn(name: string, column: string): void {
    this.steps.push({ kind: 'dropColumn', table: name, column })
  }

  /**
   * Calls a column otherwise, in indexes, checks and keys too.
   *
   * @example
   * ```ts
   * m.renameColumn('users', 'name', 'username')
   * ```
   */
  renameColumn(name: string, column: string, to: string): void {
    this.steps.push({ kind: 'renameColumn', table: name, column, to })
  }

  /**
   * Gives a column another definition: type, nullability, default, check, unique, reference. Values are kept; one that the new definition
   * does not allow fails the migration. `fill` takes the place of nulls. With `concurrently` others write meanwhile; the type stays then.
   *
   * @example
   * ```ts
   * m.alterColumn('users', 'email', t.text(), { fill: '' }) // it was nullable
   * ```
   */
  alterColumn(
    name: string,
    column: string,
    definition: AnyColumn,
    options: ConcurrencyOptions & { readonly fill?: unknown } = {},
  ): void {
    const fill = fillOf(options)
    const plain = withPlainCheck(column, definition)
    this.steps.push({ kind: 'alterColumn', table: name, column, definition: plain, fill, ...concurrency(options) })
  }

  /**
   * Makes an index over fields or paths into JSON. With `concurrently` others write meanwhile.
   *
   * @example
   * ```ts
   * m.createIndex('plans', ['owner.team'])
   * m.createIndex('events', ['at'], { concurrently: true })
   * ```
   */
  createIndex(name: string, fields: string | readonly string[], options: IndexOptions & ConcurrencyOptions = {}): void {
    const index = { table: name, fields: listOf(fields), ...indexOf(options) }
    this.steps.push({ kind: 'createIndex', ...index, ...concurrency(options) })
  }

  /**
   * Drops the index over these fields.
   *
   * @example
   * ```ts
   * m.dropIndex('plans', ['owner.team'])
   * ```
   */
  dropIndex(name: string, fields: string | readonly string[], options: IndexOptions & ConcurrencyOptions = {}): void {
    const index = { table: name, fields: listOf(fields), ...indexOf(options) }
    this.steps.push({ kind: 'dropIndex', ...index, ...concurrency(options) })
  }

  /**
   * Makes a column refer to the key of another table.
   *
   * @example
   * ```ts
   * m.addForeignKey('sessions', 'userId', { model: 'users', onDelete: 'cascade' })
   * ```
   */
  addForeignKey(
    name: string,
    column: string,
    { concurrently = false, ...references }: StepReference & ConcurrencyOptions,
  ): void {
    this.steps.push({ kind: 'addForeignKey', table: name, column, references, ...concurrency({ concurrently }) })
  }

  /** Takes the reference of a column away. */
  dropForeignKey(name: string, column: string): void {
    this.steps.push({ kind: 'dropForeignKey', table: name, column })
  }

  /**
   * Adds a condition that every row must meet.
   *
   * @example
   * ```ts
   * m.addCheck('orders', { cents: { gte: 0 } })
   * ```
   */
  addCheck(name: string, where: Readonly<Record<string, unknown>>, options: ConcurrencyOptions = {}): void {
    this.steps.push({ kind: 'addCheck', table: name, where, ...concurrency(options) })
  }

  /** Takes the check with this condition away. */
  dropCheck(name: string, where: Readonly<Record<string, unknown>>): void {
    this.steps.push({ kind: 'dropCheck', table: name, where })
  }

  /**
   * Makes a view, for those who read the database with other tools. Its name and its SQL are the database's.
   *
   * @example
   * ```ts
   * m.createView('active_users', { sqlite: 'select * from users', postgres: 'select * from users' })
   * ```
   */
  createView(name: string, select: DialectSql): void {
    this.steps.push({ kind: 'createView', view: name, select })
  }

  /** Drops a view. */
  dropView(name: string): void {
    this.steps.push({ kind: 'dropView', view: name })
  }

  /**
   * Changes rows, in batches (10,000 rows for `each`, else 100,000, or `batch`) by the primary key, each committed with a note of how far it is: a process that is killed
   * goes on from there. Give one of
   * - `set`: what columns become, as `updateMany` takes it: `{ role: 'guest' }`;
   * - `sql`: what follows `set` in an update, for each dialect: `{ sqlite: "full_name = first || ' ' || last", postgres: … }`;
   * - `each`: a function that is given a row and gives the columns that change.
   *
   * With `where` only the rows that match. In `down` all batches run in the one transaction of the rollback.
   *
   * @example
   * ```ts
   * m.data('users', { each: (row) => ({ fullName: `${row['first']} ${row['last']}` }) })
   * ```
   */
  data(name: string, change: Omit<DataStep, 'kind' | 'table'>): void {
    const kinds = [change.set, change.sql, change.each].filter((one) => one !== undefined)
    const { batch } = change
    if (kinds.length !== 1 || (batch !== undefined && !(Number.isSafeInteger(batch) && batch > 0))) {
      throw new MigrationError(`The data step on ${name} is wrong.`, {
        hint: 'Give one of set, sql and each; batch is a whole number above 0.',
      })
    }
    this.steps.push({ kind: 'data', table: name, ...change })
  }

  /**
   * Runs SQL for what has no word here: `m.sql({ sqlite: '…', postgres: '…' })`. It must not begin or end transactions, and tables that
   * steps alter later must be made by steps.
   */
  sql(sql: DialectSql): void {
    this.steps.push({ kind: 'sql', sql })
  }
}

/** Whether others can go on meanwhile. */
export interface ConcurrencyOptions {
  /**
   * Lets others write to the table while the step takes its time, on databases where they would have to wait. It is then committed on its own,
   * with the steps before it: a process that is killed goes on there.
   */
  readonly concurrently?: boolean
}

/** What tells an index from another over the same fields. */
export interface IndexOptions {
  readonly unique?: boolean
  /** Nullable columns: rows without a value in one of them are left out of the table's indexes that hold it. */
  readonly sparse?: readonly string[]
}

function indexOf({ unique = false, sparse = [] }: IndexOptions): { unique: boolean; sparse?: readonly string[] } {
  return sparse.length === 0 ? { unique } : { unique, sparse }
}

function concurrency({ concurrently = false }: ConcurrencyOptions): ConcurrencyOptions {
  return concurrently ? { concurrently } : {}
}

function isDeclaration(given: Columns | Table | Documents): given is Table | Documents {
  return typeof given.kind === 'string'
}

function listOf(fields: string | readonly string[]): readonly string[] {
  return typeof fields === 'string' ? [fields] : fields
}

function fillOf(options: { readonly fill?: unknown }): { readonly value: unknown } | null {
  return options.fill === undefined ? null : { value: options.fill }
}
