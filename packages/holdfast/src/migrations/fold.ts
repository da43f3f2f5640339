import { contentOf, renameInWhere } from '../backend/index.ts'
import { MigrationError } from '../base/errors.ts'
import { Column, type Documents, type Table, t } from '../schema/index.ts'
import { type Parking, parkedColumn, parkedTable, renamesOf, takenBack } from './parking.ts'
import type { SchemaState } from './schema-state.ts'
import type { AnyColumn, Step } from './step.ts'

/**
 * The state after a step.
 *
 * @param parking what `up` drops is parked, and what `down` makes is taken back; without it, nothing is.
 * @throws MigrationError for a step that the state does not allow: of a table that is not there, a name that is taken.
 */
export function fold(state: SchemaState, step: Step, parking?: Parking): SchemaState {
  const { table: moved, columns: renamedColumns } = renamesOf(state, step, parking)
  switch (step.kind) {
    case 'sql':
      return state
    case 'data':
      tableOf(state, step)
      return state
    case 'createView':
      if (state.views.has(step.view)) throw wrong(step, `there is a view ${step.view} already`)
      return { ...state, views: new Map(state.views).set(step.view, step.select) }
    case 'dropView':
      if (!state.views.has(step.view)) throw wrong(step, `no migration made a view ${step.view}`)
      return { ...state, views: without(state.views, step.view) }
    case 'createTable':
      if (state.tables.has(step.table)) throw wrong(step, `there is a table ${step.table} already`)
      if (moved === undefined) return replace(state, step.table, withVersion(step.declaration))
      return moveTable(state, moved, (parked) => takenBack(parked, withVersion(step.declaration)))
    case 'dropTable':
      tableOf(state, step)
      assertNotReferred(state, step)
      if (moved !== undefined) return moveTable(state, moved, parkedTable)
      return { ...state, tables: without(state.tables, step.table) }
    case 'renameTable':
      tableOf(state, step)
      if (state.tables.has(step.to)) throw wrong(step, `there is a table ${step.to} already`)
      return { ...state, tables: renamed(state.tables, step.table, step.to) }
    case 'createIndex':
    case 'dropIndex':
      return replace(state, step.table, foldIndex(tableOf(state, step), step))
    default: {
      const declaration = tableOf(state, step)
      if (declaration.kind === 'table')
        return replace(state, step.table, foldTable(declaration, step, renamedColumns ?? new Map()))
      throw wrong(step, `${step.table} is a documents collection, whose columns are fixed`)
    }
  }
}

/** The declaration with the column of `versioned` written out, so that steps can speak of it. */
export function withVersion(declared: Table | Documents): Table | Documents {
  if (declared.kind !== 'table' || declared.options.versioned !== true) return declared
  const { versioned, ...options } = declared.options
  return { ...declared, columns: { ...declared.columns, version: t.integer().default(1) }, options }
}

type TableStep = Exclude<
  Step,
  {
    kind:
      | 'sql'
      | 'data'
      | 'createView'
      | 'dropView'
      | 'createTable'
      | 'dropTable'
      | 'renameTable'
      | 'createIndex'
      | 'dropIndex'
  }
>

function foldTable(declared: Table, step: TableStep, renamedColumns: ReadonlyMap<string, string>): Table {
  const [moved] = renamedColumns
  switch (step.kind) {
    case 'addColumn':
      if (step.column in declared.columns) throw wrong(step, `${step.table} has a column ${step.column} already`)
      if (moved !== undefined) return withColumn(declared, moved[1], step.column, step.definition)
      return { ...declared, columns: { ...declared.columns, [step.column]: step.definition } }
    case 'alterColumn':
      columnOf(declared, step)
      return { ...declared, columns: { ...declared.columns, [step.column]: step.definition } }
    case 'dropColumn': {
      const column = columnOf(declared, step)
      const rest = withoutColumn(declared, step.column)
      return moved === undefined ? rest : withColumn(rest, step.column, moved[0], parkedColumn(column))
    }
    case 'renameColumn':
      columnOf(declared, step)
      if (step.to in declared.columns) throw wrong(step, `${step.table} has a column ${step.to} already`)
      return withRenamedColumn(declared, step.column, step.to)
    case 'addForeignKey': {
      const column = columnOf(declared, step)
      if (column.definition.references !== undefined) throw wrong(step, `${step.column} refers to a table already`)
      const { model, ...actions } = step.references
      return { ...declared, columns: { ...declared.columns, [step.column]: column.references(model, actions) } }
    }
    case 'dropForeignKey': {
      const { references, ...rest } = columnOf(declared, step).definition
      if (references === undefined) throw wrong(step, `${step.column} refers to nothing`)
      return { ...declared, columns: { ...declared.columns, [step.column]: new Column(rest) } }
    }
    default:
      return foldCheck(declared, step)
  }
}

function foldCheck(declared: Table, step: Extract<Step, { kind: 'addCheck' | 'dropCheck' }>): Table {
  const checks = (declared.options.checks ?? []) as unknown as Record<string, unknown>[]
  const others = checks.filter((where) => contentOf(where) !== contentOf(step.where))
  if (step.kind === 'addCheck') {
    if (others.length < checks.length) throw wrong(step, `${step.table} has this check already`)
    return { ...declared, options: { ...declared.options, checks: [...checks, step.where] as never } }
  }
  if (others.length === checks.length) throw wrong(step, `${step.table} has no such check of the whole table`)
  return { ...declared, options: { ...declared.options, checks: others as never } }
}

function foldIndex<Declaration extends Table | Documents>(
  declared: Declaration,
  step: Extract<Step, { kind: 'createIndex' | 'dropIndex' }>,
): Declaration {
  const option = step.unique ? 'unique' : 'indexes'
  const lists = ((declared.options[option] ?? []) as (string | string[])[]).map((one) => [one].flat())
  const others = lists.filter((fields) => contentOf(fields) !== contentOf(step.fields))
  const [only = ''] = step.fields.length === 1 ? step.fields : []
  const own = step.unique && declared.kind === 'table' ? declared.columns[only] : undefined
  const isOwn = own?.definition.unique === true
  if (step.kind === 'createIndex') {
    if (isOwn || others.length < lists.length) throw wrong(step, `${step.table} has this index already`)
    return withSparse({ ...declared, options: { ...declared.options, [option]: [...lists, step.fields] } }, step)
  }
  if (!isOwn && others.length === lists.length) throw wrong(step, `${step.table} has no such index`)
  const rest = withSparse({ ...declared, options: { ...declared.options, [option]: others } }, step)
  if (!isOwn || rest.kind !== 'table') return rest
  const plain = new Column({ ...(own as AnyColumn).definition, unique: false })
  return { ...rest, columns: { ...rest.columns, [only]: plain } }
}

/** An index that is made takes its sparse columns along, one that is dropped takes them away. */
function withSparse<Declaration extends Table | Documents>(
  declared: Declaration,
  { kind, sparse = [] }: Extract<Step, { kind: 'createIndex' | 'dropIndex' }>,
): Declaration {
  if (sparse.length === 0 || declared.kind !== 'table') return declared
  const others = ((declared.options.sparse ?? []) as readonly string[]).filter((column) => !sparse.includes(column))
  return {
    ...declared,
    options: { ...declared.options, sparse: kind === 'dropIndex' ? others : [...others, ...sparse] },
  }
}

/** The table with a column in place of another, or at the end. */
function withColumn(declared: Table, before: string, name: string, definition: AnyColumn): Table {
  const others = Object.entries(declared.columns).filter(([other]) => other !== before)
  return { ...declared, columns: Object.fromEntries([...others, [name, definition]]) }
}

function moveTable(
  state: SchemaState,
  [name, before]: readonly [string, string],
  change: (declared: Table | Documents) => Table | Documents,
): SchemaState {
  const declared = state.tables.get(before) as Table | Documents
  return replace({ ...state, tables: without(state.tables, before) }, name, change(declared))
}

function withoutColumn(declared: Table, column: string): Table {
  const { [column]: _, ...columns } = declared.columns
  const speaksOf = (field: string): boolean => field.split('.')[0] === column
  const lists = (given: unknown): string[][] =>
    ((given ?? []) as (string | string[])[]).map((one) => [one].flat()).filter((fields) => !fields.some(speaksOf))
  const { indexes, unique, checks, sparse, ...rest } = declared.options
  const kept = ((checks ?? []) as unknown as Record<string, unknown>[]).filter(
    (where) => !fieldsOf(where).some(speaksOf),
  )
  return {
    ...declared,
    columns,
    options: {
      ...rest,
      indexes: lists(indexes) as never,
      unique: lists(unique) as never,
      sparse: (sparse ?? []).filter((name) => name !== column) as never,
      checks: kept as never,
    },
  }
}

function fieldsOf(where: Record<string, unknown>): string[] {
  const fields: string[] = []
  renameInWhere(where, (name) => {
    fields.push(name)
    return name
  })
  return fields
}

function withRenamedColumn(declared: Table, before: string, after: string): Table {
  const now = (name: string): string => (name === before ? after : name)
  const nowField = (field: string): string => {
    const [column = '', ...path] = field.split('.')
    return [now(column), ...path].join('.')
  }
  const lists = (given: unknown): string[][] =>
    ((given ?? []) as (string | string[])[]).map((one) => [one].flat().map(nowField))
  const { indexes, unique, checks, primaryKey, sparse, ...rest } = declared.options
  return {
    ...declared,
    columns: Object.fromEntries(Object.entries(declared.columns).map(([name, column]) => [now(name), column])),
    options: {
      ...rest,
      ...(primaryKey !== undefined && { primaryKey: primaryKey.map(now) }),
      ...(sparse !== undefined && { sparse: sparse.map(now) as never }),
      indexes: lists(indexes) as never,
      unique: lists(unique) as never,
      checks: ((checks ?? []) as unknown as Record<string, unknown>[]).map((where) =>
        renameInWhere(where, now),
      ) as never,
    },
  }
}

/** The tables with one called otherwise, in what refers to it too. */
function renamed(tables: SchemaState['tables'], before: string, after: string): ReadonlyMap<string, Table | Documents> {
  return new Map(
    [...tables].map(([name, declared]) => [name === before ? after : name, referringTo(declared, before, after)]),
  )
}

function referringTo(declared: Table | Documents, before: string, after: string): Table | Documents {
  if (declared.kind !== 'table') return declared
  const columns = Object.entries(declared.columns).map(([name, column]): [string, AnyColumn] => {
    const { references } = column.definition
    if (references?.model !== before) return [name, column]
    return [name, new Column({ ...column.definition, references: { ...references, model: after } })]
  })
  return { ...declared, columns: Object.fromEntries(columns) }
}

function assertNotReferred(state: SchemaState, step: Extract<Step, { kind: 'dropTable' }>): void {
  for (const [name, declared] of state.tables) {
    if (declared.kind !== 'table' || name === step.table) continue
    for (const [column, { definition }] of Object.entries(declared.columns)) {
      if (definition.references?.model === step.table) throw wrong(step, `${name}.${column} refers to it`)
    }
  }
}

function tableOf(state: SchemaState, step: Step & { readonly table: string }): Table | Documents {
  const declared = state.tables.get(step.table)
  if (declared === undefined) throw wrong(step, `no migration made a table ${step.table}`)
  return declared
}

function columnOf(declared: Table, step: Step & { readonly table: string; readonly column: string }): AnyColumn {
  const column = Object.hasOwn(declared.columns, step.column) ? declared.columns[step.column] : undefined
  if (column === undefined) throw wrong(step, `${step.table} has no column ${step.column}`)
  return column
}

function replace(state: SchemaState, table: string, declared: Table | Documents): SchemaState {
  return { ...state, tables: new Map(state.tables).set(table, declared) }
}

function without<Value>(map: ReadonlyMap<string, Value>, key: string): ReadonlyMap<string, Value> {
  const rest = new Map(map)
  rest.delete(key)
  return rest
}

function wrong(step: Step, reason: string): MigrationError {
  return new MigrationError(`The step ${step.kind} cannot be made: ${reason}.`, {
    hint: 'Compare it with what the migrations before it did.',
  })
}
