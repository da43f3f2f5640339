import { contentOf } from '../backend/index.ts'
import { MigrationError } from '../base/errors.ts'
import { Column, type Documents, type Model, type Schema, type Table } from '../schema/index.ts'
import { modelsOf } from './changes.ts'
import { isConvertible } from './conversions.ts'
import { fold, withVersion } from './fold.ts'
import { plain } from './migration.ts'
import { placeholderOf } from './placeholder.ts'
import { NOTHING, type SchemaState } from './schema-state.ts'
import { stateContent } from './state-content.ts'
import type { AnyColumn, Step } from './step.ts'

/** What is called otherwise: `users:people` for a table, `people.name:fullName` for a column, by the new name of its table. */
export interface Renames {
  /** The new names of tables by their old ones. */
  readonly tables: ReadonlyMap<string, string>
  /** The new names of columns by `table.column`: the table's new name and the column's old one. */
  readonly columns: ReadonlyMap<string, string>
}

/** Nothing is called otherwise. */
const NO_RENAMES: Renames = { tables: new Map(), columns: new Map() }

/** The tables of a schema, as migrations know them. */
export function stateOf(schema: Schema): SchemaState {
  const tables = [...schema.models.keys()].map((name): [string, Table | Documents] => [
    name,
    withVersion(schema.declarations[name] as Table | Documents),
  ])
  return { ...NOTHING, tables: new Map(tables) }
}

/** A table and a column of `table.column`; names hold no point. */
function splitPath(path: string): string[] {
  return path.split('.')
}

/** The steps that lead from one state to another. Views are left as they are. */
export function diff(from: SchemaState, to: SchemaState, renames: Renames = NO_RENAMES): Step[] {
  const differ = new Differ(from, to)
  differ.rename(renames)
  differ.dropReferences()
  differ.createTables()
  differ.alterTables()
  differ.addReferences()
  differ.dropTables()
  if (stateContent({ ...differ.state, views: to.views }) === stateContent(to)) return differ.steps
  throw new MigrationError('The difference cannot be put into steps.', {
    hint: 'Change the schema in smaller parts, or write the migration by hand.',
  })
}

class Differ {
  readonly steps: Step[] = []
  state: SchemaState
  readonly #to: SchemaState
  /** The tables whose rows cannot be kept, because their key is another. */
  readonly #replaced = new Set<string>()

  constructor(from: SchemaState, to: SchemaState) {
    this.state = from
    this.#to = to
  }

  rename({ tables, columns }: Renames): void {
    for (const [table, to] of tables) this.#emit({ kind: 'renameTable', table, to })
    for (const [path, to] of columns) {
      const [table = '', column = ''] = splitPath(path)
      this.#emit({ kind: 'renameColumn', table, column, to })
    }
    for (const [name, declared] of this.state.tables) {
      const target = this.#to.tables.get(name)
      if (target !== undefined && !keepsKey(declared, target, this.#model(name), this.#target(name)))
        this.#replaced.add(name)
    }
  }

  /** References that go, and those of and to tables that go. */
  dropReferences(): void {
    for (const [table, declared] of this.state.tables) {
      for (const [column, { definition }] of columnsOf(declared)) {
        if (definition.references === undefined) continue
        const { model } = definition.references
        const target = this.#column(table, column)
        const isSame = contentOf(target?.definition.references) === contentOf(definition.references)
        const keepsTypes = this.#keepsType(table, column) && this.#keepsKeyType(model)
        const stays = isSame && keepsTypes && !this.#goes(table) && !this.#goes(model)
        const goesAlone = table === model && this.#goes(table)
        if (!stays && !goesAlone) this.#emit({ kind: 'dropForeignKey', table, column })
      }
    }
  }

  /** New tables; a reference to one that comes later, or whose key changes, is added when all is there. */
  createTables(): void {
    for (const table of this.#replaced) this.#emit({ kind: 'dropTable', table })
    const created = [...this.#to.tables].filter(([name]) => !this.state.tables.has(name))
    for (const [table, declared] of created) {
      const isThere = (model: string): boolean =>
        model === table || (this.state.tables.has(model) && this.#keepsKeyType(model))
      this.#emit({ kind: 'createTable', table, declaration: withReferences(declared, isThere) })
    }
  }

  alterTables(): void {
    const kept = [...this.state.tables.keys()].filter((name) => this.#to.tables.has(name))
    for (const table of kept) {
      this.#dropParts(table)
      this.#alterColumns(table)
      this.#addIndexes(table)
    }
  }

  addReferences(): void {
    for (const table of this.#to.tables.keys()) this.#addReferences(table)
  }

  dropTables(): void {
    for (const table of this.state.tables.keys()) {
      if (!this.#to.tables.has(table)) this.#emit({ kind: 'dropTable', table })
    }
  }

  /** Indexes and checks that the target does not have; those of dropped columns go with them. */
  #dropParts(table: string): void {
    const target = this.#target(table)
    const wanted = new Set(target.indexes.map(({ fields, unique, sparse }) => contentOf([fields, unique, sparse])))
    const model = this.#model(table)
    for (const { fields, unique, sparse } of model.indexes) {
      if (wanted.has(contentOf([fields, unique, sparse]))) continue
      if (fields.every(({ column }) => target.byName.has(column)))
        this.#emit({
          kind: 'dropIndex',
          table,
          fields: fields.map((field) => fieldName(model, field)),
          unique,
          ...(sparse !== undefined && { sparse }),
        })
    }
    this.#dropChecks(table)
  }

  /** Checks are called by their places, so those behind the first that differs are made anew. */
  #dropChecks(table: string): void {
    const current = checksOf(this.state.tables.get(table))
    const wanted = checksOf(this.#to.tables.get(table))
    const same = current.findIndex((where, at) => contentOf(where) !== contentOf(wanted[at]))
    for (const where of same === -1 ? [] : current.slice(same)) this.#emit({ kind: 'dropCheck', table, where })
  }

  #alterColumns(table: string): void {
    const declared = this.state.tables.get(table)
    const target = this.#to.tables.get(table)
    const wanted = new Map(columnsOf(target))
    for (const [column, before] of columnsOf(declared)) {
      const after = wanted.get(column)
      const [from, to] = [this.#model(table).byName.get(column), this.#target(table).byName.get(column)]
      if (after !== undefined && from !== undefined && to !== undefined && isConvertible(from, to)) {
        if (contentOf(plainColumn(before)) === contentOf(plainColumn(after))) continue
        this.#emit({ kind: 'alterColumn', table, column, definition: withoutReference(after), fill: null })
        continue
      }
      this.#emit({ kind: 'dropColumn', table, column })
    }
    for (const [column, definition] of columnsOf(target)) {
      if (this.#model(table).byName.has(column)) continue
      const fill = placeholderOf(definition)
      this.#emit({ kind: 'addColumn', table, column, definition: withoutReference(definition), fill })
    }
  }

  #addIndexes(table: string): void {
    const target = this.#target(table)
    const there = new Set(
      this.#model(table).indexes.map(({ fields, unique, sparse }) => contentOf([fields, unique, sparse])),
    )
    for (const { fields, unique, sparse } of target.indexes) {
      if (there.has(contentOf([fields, unique, sparse]))) continue
      this.#emit({
        kind: 'createIndex',
        table,
        fields: fields.map((field) => fieldName(target, field)),
        unique,
        ...(sparse !== undefined && { sparse }),
      })
    }
    this.#dropChecks(table)
    const current = checksOf(this.state.tables.get(table)).length
    for (const where of checksOf(this.#to.tables.get(table)).slice(current))
      this.#emit({ kind: 'addCheck', table, where })
  }

  #addReferences(table: string): void {
    const declared = new Map(columnsOf(this.state.tables.get(table)))
    for (const [column, { definition }] of columnsOf(this.#to.tables.get(table))) {
      if (definition.references === undefined || declared.get(column)?.definition.references !== undefined) continue
      this.#emit({ kind: 'addForeignKey', table, column, references: definition.references })
    }
  }

  #emit(step: Step): void {
    this.steps.push(step)
    this.state = fold(this.state, step)
  }

  /** Whether a column has the type that it is to have: one that a reference needs is altered without it. */
  #keepsType(table: string, column: string): boolean {
    const [before, after] = [this.#model(table), modelsOf(this.#to).get(table)].map((model) =>
      model?.byName.get(column),
    )
    return before?.type === after?.type
  }

  #keepsKeyType(table: string): boolean {
    const [key = ''] = this.#model(table).primaryKey
    return this.#keepsType(table, key)
  }

  #goes(table: string): boolean {
    return this.#replaced.has(table) || !this.#to.tables.has(table)
  }

  #model(name: string): Model {
    return modelsOf(this.state).get(name) as Model
  }

  #target(name: string): Model {
    return modelsOf(this.#to).get(name) as Model
  }

  #column(table: string, column: string): AnyColumn | undefined {
    return new Map(columnsOf(this.#to.tables.get(table))).get(column)
  }
}

function columnsOf(declared: Table | Documents | undefined): [string, AnyColumn][] {
  return declared?.kind === 'table' ? Object.entries(declared.columns) : []
}

function checksOf(declared: Table | Documents | undefined): Record<string, unknown>[] {
  return declared?.kind === 'table' ? ((declared.options.checks ?? []) as unknown as Record<string, unknown>[]) : []
}

/** Whether rows can be kept: the key has the same columns, whose values can be kept. */
function keepsKey(before: Table | Documents, after: Table | Documents, from: Model, to: Model): boolean {
  if (before.kind !== after.kind || contentOf(from.primaryKey) !== contentOf(to.primaryKey)) return false
  return from.primaryKey.every((name) => {
    const [key, wanted] = [from.byName.get(name), to.byName.get(name)]
    return key !== undefined && wanted !== undefined && isConvertible(key, wanted)
  })
}

function withReferences(declared: Table | Documents, isThere: (model: string) => boolean): Table | Documents {
  if (declared.kind !== 'table') return declared
  const columns = Object.entries(declared.columns).map(([name, column]): [string, AnyColumn] => {
    const { references } = column.definition
    return [name, references === undefined || isThere(references.model) ? column : withoutReference(column)]
  })
  return { ...declared, columns: Object.fromEntries(columns) }
}

function withoutReference(column: AnyColumn): AnyColumn {
  const { references, ...rest } = column.definition
  return references === undefined ? column : new Column(rest)
}

/** What of a column is not an index or a reference, which are looked at apart. */
function plainColumn(column: AnyColumn): unknown {
  const { references, unique, primaryKey, ...rest } = column.definition
  return plain(new Column({ ...rest, unique: false, primaryKey: false }))
}

function fieldName(model: Model, { column, path }: Model['indexes'][number]['fields'][number]): string {
  return (model.kind === 'documents' && path.length > 0 ? path : [column, ...path]).join('.')
}
/** The same the other way round. */
export function inverted({ tables, columns }: Renames): Renames {
  const before = new Map([...tables].map(([old, now]) => [now, old]))
  return {
    tables: before,
    columns: new Map(
      [...columns].map(([path, now]) => {
        const [table = '', column = ''] = splitPath(path)
        return [`${before.get(table) ?? table}.${now}`, column]
      }),
    ),
  }
}
