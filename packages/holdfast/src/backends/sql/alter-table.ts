import { sql } from 'kysely'
import { type Alteration, type AlterTable, alterationOf, contentOf, type Kept } from '../../backend/index.ts'
import type { Model, ModelColumn, Models } from '../../schema/index.ts'
import { checkConstraint, rangeConstraint, typeConstraint } from './checks.ts'
import type { Dialect, Sql } from './dialect.ts'
import { primaryKeyName } from './names.ts'
import { addForeignKey, columnNames, constantOf, createIndex, defaultOf, pathColumns } from './tables.ts'

/**
 * The statements that alter a table where the database can change it in place: first what is in the way goes, then names and columns
 * change, then what is new comes.
 */
export function alterStatements(change: AlterTable, models: Models, dialect: Dialect): string[] {
  const writer = new AlterWriter(alterationOf(change), models, dialect)
  writer.drop()
  writer.rename()
  writer.alterColumns()
  writer.add()
  return writer.statements
}

class AlterWriter {
  readonly statements: string[] = []
  readonly #alteration: Alteration
  readonly #models: Models
  readonly #dialect: Dialect
  readonly #ranges: { readonly dropped: string[]; readonly added: ModelColumn[]; readonly kept: [string, string][] }

  constructor(alteration: Alteration, models: Models, dialect: Dialect) {
    this.#alteration = alteration
    this.#models = models
    this.#dialect = dialect
    this.#ranges = rangesOf(alteration, dialect)
  }

  drop(): void {
    const { from, foreignKeys, checks, indexes, keyChanges } = this.#alteration
    const constraints = [
      ...foreignKeys.dropped.map(({ name }) => name),
      ...checks.dropped.map(({ name }) => name),
      ...this.#ranges.dropped,
    ]
    for (const name of constraints) this.#alter(from, sql`drop constraint ${sql.id(name)}`)
    const withoutPaths = this.#pathColumnsOf(from).filter((column) => !this.#keepsPathIndex(column))
    const pathIndexes = withoutPaths.flatMap((column) => this.#pathIndexNames(from, column))
    for (const name of [...indexes.dropped.map((index) => index.name), ...pathIndexes])
      this.#add(sql`drop index ${sql.id(name)}`)
    if (!keyChanges) return
    this.#alter(from, sql`drop constraint ${sql.id(primaryKeyName(from))}`)
    for (const { from: before } of this.#alteration.columns.kept) {
      if (before.generated) this.#alterColumn(from, before, sql`drop identity`)
    }
  }

  rename(): void {
    const { from, to, columns, indexes, foreignKeys, checks, keyChanges } = this.#alteration
    if (from.table !== to.table) this.#alter(from, sql`rename to ${sql.id(to.table)}`)
    for (const { from: before, to: after } of columns.kept) {
      if (before.column !== after.column)
        this.#alter(to, sql`rename column ${sql.id(before.column)} to ${sql.id(after.column)}`)
    }
    const names: [string, string][] = [...foreignKeys.kept, ...checks.kept].map(namesOf)
    if (!keyChanges) names.push([primaryKeyName(from), primaryKeyName(to)])
    for (const [before, after] of [...names, ...this.#ranges.kept]) {
      if (before !== after) this.#alter(to, sql`rename constraint ${sql.id(before)} to ${sql.id(after)}`)
    }
    const indexNames = indexes.kept.map(namesOf)
    for (const column of this.#pathColumnsOf(from).filter((one) => this.#keepsPathIndex(one))) {
      const [before = ''] = this.#pathIndexNames(from, column)
      const [after = ''] = this.#pathIndexNames(to, this.#columnNow(column))
      indexNames.push([before, after])
    }
    for (const [before, after] of indexNames) {
      if (before !== after) this.#add(sql`alter index ${sql.id(before)} rename to ${sql.id(after)}`)
    }
  }

  alterColumns(): void {
    const { to, columns } = this.#alteration
    for (const { column } of columns.dropped) this.#alter(to, sql`drop column ${sql.id(column)}`)
    for (const kept of columns.kept) this.#change(kept)
    for (const column of columns.added) this.#addColumn(column)
  }

  add(): void {
    const { to, keyChanges, checks, indexes, foreignKeys } = this.#alteration
    const dialect = this.#dialect
    if (keyChanges && !to.columns.some(({ generated }) => generated)) this.#addKey()
    for (const column of this.#ranges.added) {
      const range = rangeConstraint(column, to, dialect)
      if (range !== null) this.#alter(to, sql`add constraint ${sql.id(range.name)} check (${range.condition})`)
    }
    for (const check of checks.added) {
      this.#alter(to, sql`add constraint ${sql.id(check.name)} check (${checkConstraint(check, to, dialect)})`)
    }
    this.statements.push(...indexes.added.flatMap((index) => createIndex(index, to, dialect)))
    this.statements.push(...foreignKeys.added.map((key) => addForeignKey(key, to, this.#models, dialect)))
  }

  #change({ from, to }: Kept<ModelColumn>): void {
    const { to: model, fill } = this.#alteration
    const dialect = this.#dialect
    const [typeBefore, typeAfter] = [dialect.codec(from).type, dialect.codec(to).type]
    const defaults = [from, to].map((column) => contentOf(storedDefault(column)))
    const defaultChanges = defaults[0] !== defaults[1] || typeBefore !== typeAfter
    if (defaultChanges && defaultOf(from, dialect) !== null) this.#alterColumn(model, to, sql`drop default`)
    if (typeBefore !== typeAfter) {
      const type = dialect.ddl.columnType(to)
      this.#alterColumn(model, to, sql`type ${type} using ${converted(from, to, typeAfter)}`)
    }
    if (from.type !== to.type) this.#checkOnce(to)
    const after = defaultOf(to, dialect)
    if (defaultChanges && after !== null) this.#alterColumn(model, to, sql`set default ${after}`)
    if (fill.has(to.name)) {
      const value = constantOf(fill.get(to.name), to, dialect)
      this.#add(
        sql`update ${sql.id(model.table)} set ${sql.id(to.column)} = ${value} where ${sql.id(to.column)} is null`,
      )
    }
    if (from.nullable === to.nullable) return
    this.#alterColumn(model, to, to.nullable ? sql`drop not null` : sql`set not null`)
  }

  /** Checks what has become of a column's values, where the table has no check that does. */
  #checkOnce(column: ModelColumn): void {
    const { to } = this.#alteration
    const range = typeConstraint(column, to, this.#dialect)
    if (range === null || rangeConstraint(column, to, this.#dialect) !== null) return
    this.#alter(to, sql`add constraint ${sql.id(range.name)} check (${range.condition})`)
    this.#alter(to, sql`drop constraint ${sql.id(range.name)}`)
  }

  #addColumn(column: ModelColumn): void {
    const { to, fill } = this.#alteration
    const { ddl } = this.#dialect
    if (column.generated) {
      this.#alter(to, sql`add column ${sql.id(column.column)} ${ddl.generated(primaryKeyName(to))}`)
      return
    }
    const own = defaultOf(column, this.#dialect)
    const given = fill.has(column.name) ? constantOf(fill.get(column.name), column, this.#dialect) : own
    const required = column.nullable ? sql`` : sql` not null`
    const first = given === null ? sql`` : sql` default ${given}`
    this.#alter(to, sql`add column ${sql.id(column.column)} ${ddl.columnType(column)}${required}${first}`)
    if (given === own) return
    this.#alterColumn(to, column, own === null ? sql`drop default` : sql`set default ${own}`)
  }

  #addKey(): void {
    const { to } = this.#alteration
    const key = sql.join(columnNames(to.primaryKey, to).map((name) => sql.id(name)))
    this.#alter(to, sql`add constraint ${sql.id(primaryKeyName(to))} primary key (${key})`)
  }

  /** The JSON columns of a model that have an index over all their paths. */
  #pathColumnsOf(model: Model): string[] {
    return [...new Set(model.indexes.flatMap(({ fields }) => pathColumns(fields, model)))]
  }

  #keepsPathIndex(column: string): boolean {
    return this.#pathColumnsOf(this.#alteration.to).includes(this.#columnNow(column))
  }

  /** What a column of the old model is called now. */
  #columnNow(column: string): string {
    return this.#alteration.columns.kept.find(({ from }) => from.column === column)?.to.column ?? ''
  }

  #pathIndexNames(model: Model, column: string): string[] {
    return this.#dialect.ddl.pathIndexNames(model.table, [column])
  }

  #alter(model: Model, what: Sql): void {
    this.#add(sql`alter table ${sql.id(model.table)} ${what}`)
  }

  #alterColumn(model: Model, { column }: ModelColumn, what: Sql): void {
    this.#alter(model, sql`alter column ${sql.id(column)} ${what}`)
  }

  #add(statement: Sql): void {
    this.statements.push(statement.compile(this.#dialect.builder).sql)
  }
}

/** A value as one of the other type; one that cannot be is made a text that Postgres refuses to read, rather than rounded. */
function converted(from: ModelColumn, to: ModelColumn, type: string): Sql {
  const value = sql.id(to.column)
  const target = sql.raw(type)
  if (from.type === 'boolean') return sql`${value}::integer::${target}`
  if (from.type === 'real') return sql`${value}::text::${target}`
  if (to.type === 'boolean') {
    return sql`case when ${value} in (0, 1) then ${value} = 1 else ('not a boolean: ' || ${value})::boolean end`
  }
  if (from.type !== 'decimal') return sql`${value}::${target}`
  const isExact = sql`${value} = round(${value}, ${sql.lit(to.type === 'decimal' ? (to.scale ?? 0) : 0)})`
  return sql`case when ${isExact} then ${value}::${target} else ('not exact: ' || ${value})::${target} end`
}

function namesOf({ from, to }: Kept<{ readonly name: string }>): [string, string] {
  return [from.name, to.name]
}

function storedDefault({ default: given, precision, scale }: ModelColumn): unknown {
  return given?.kind === 'now' || given?.kind === 'value' ? [given, precision, scale] : null
}

/** The checks that columns' types bring with them. */
function rangesOf({ from, to, columns }: Alteration, dialect: Dialect) {
  const dropped: string[] = []
  const added = [...columns.added]
  const kept: [string, string][] = []
  for (const { from: before, to: after } of columns.kept) {
    const [old, now] = [rangeConstraint(before, from, dialect), rangeConstraint(after, to, dialect)]
    if (old !== null && now !== null && typeContent(before) === typeContent(after)) kept.push([old.name, now.name])
    else {
      if (old !== null) dropped.push(old.name)
      if (now !== null) added.push(after)
    }
  }
  return { dropped, added, kept }
}

function typeContent({ type, precision, scale, values }: ModelColumn): string {
  return contentOf([type, precision, scale, values])
}
