import { createHash } from 'node:crypto'
import { Column, type Documents, type Table } from '../schema/index.ts'
import type { SchemaState } from './schema-state.ts'
import type { AnyColumn, Step } from './step.ts'

/**
 * What `up` drops is not gone: a column stays in its table under another name and without its rules, a table under another name and without
 * its references, so that `down` gives back what they held. `finalize` drops them for good.
 */
export interface Parking {
  readonly migration: string
  /** `up` parks, `down` takes back. */
  readonly direction: 'up' | 'down'
}

const PREFIX = 'holdfast_parked_'

/** Whether a table or a column of this name is parked. */
export function isParked(name: string): boolean {
  return name.startsWith(PREFIX)
}

function parkedName({ migration }: Parking, table: string, column = ''): string {
  return PREFIX + createHash('sha256').update([migration, table, column].join('\0')).digest('hex').slice(0, 16)
}

/** What a step calls otherwise. */
export interface StepRenames {
  /** The new name of the step's table and the old one. */
  readonly table?: readonly [string, string]
  /** New names of its columns with the old ones. */
  readonly columns?: ReadonlyMap<string, string>
}

/** What a step calls otherwise, by its own words or because it parks something or takes it back. */
export function renamesOf(state: SchemaState, step: Step, parking: Parking | undefined): StepRenames {
  if (step.kind === 'renameTable') return { table: [step.to, step.table] }
  if (step.kind === 'renameColumn') return { columns: new Map([[step.to, step.column]]) }
  if (parking === undefined) return {}
  if (parking.direction === 'up') {
    if (step.kind === 'dropTable') return { table: [parkedName(parking, step.table), step.table] }
    if (step.kind === 'dropColumn')
      return { columns: new Map([[parkedName(parking, step.table, step.column), step.column]]) }
    return {}
  }
  if (step.kind === 'createTable') {
    const parked = parkedName(parking, step.table)
    return canTakeBack(state.tables.get(parked), step.declaration) ? { table: [step.table, parked] } : {}
  }
  if (step.kind !== 'addColumn') return {}
  const declared = state.tables.get(step.table)
  const parked = parkedName(parking, step.table, step.column)
  const column = declared?.kind === 'table' ? declared.columns[parked] : undefined
  return column !== undefined && isSameType(column, step.definition)
    ? { columns: new Map([[step.column, parked]]) }
    : {}
}

function canTakeBack(parked: Table | Documents | undefined, declared: Table | Documents): boolean {
  if (parked === undefined || parked.kind !== declared.kind) return false
  if (parked.kind !== 'table' || declared.kind !== 'table') return true
  const { columns } = parked
  const wanted = Object.entries(declared.columns)
  return (
    wanted.length === Object.keys(columns).filter((name) => !isParked(name)).length &&
    wanted.every(([name, column]) => columns[name] !== undefined && isSameType(columns[name] as AnyColumn, column))
  )
}

function isSameType({ definition: one }: AnyColumn, { definition: other }: AnyColumn): boolean {
  return one.type === other.type && one.scale === other.scale && one.precision === other.precision
}

/** A column as it is parked: of its type, and with no rules. */
export function parkedColumn({ definition }: AnyColumn): AnyColumn {
  const { type, values, precision, scale } = definition
  return new Column({
    type,
    nullable: true,
    primaryKey: false,
    generated: false,
    unique: false,
    ...(values !== undefined && { values }),
    ...(precision !== undefined && { precision }),
    ...(scale !== undefined && { scale }),
  })
}

/** A table as it is parked: it refers to nothing, so that it is in nobody's way. */
export function parkedTable(declared: Table | Documents): Table | Documents {
  if (declared.kind !== 'table') return declared
  const columns = Object.entries(declared.columns).map(([name, column]): [string, AnyColumn] => {
    const { references, ...rest } = column.definition
    return [name, references === undefined ? column : new Column(rest)]
  })
  return { ...declared, columns: Object.fromEntries(columns) }
}

/** A table that is taken back, with the columns that are parked in it. */
export function takenBack(parked: Table | Documents, declared: Table | Documents): Table | Documents {
  if (parked.kind !== 'table' || declared.kind !== 'table') return declared
  const hidden = Object.entries(parked.columns).filter(([name]) => isParked(name))
  return { ...declared, columns: { ...declared.columns, ...Object.fromEntries(hidden) } }
}

/** The state without what is parked. */
export function withoutParked(state: SchemaState): SchemaState {
  const shown = [...state.tables].filter(([name]) => !isParked(name))
  const tables = shown.map(([name, declared]): [string, Table | Documents] => {
    if (declared.kind !== 'table' || !Object.keys(declared.columns).some(isParked)) return [name, declared]
    const columns = Object.entries(declared.columns).filter(([column]) => !isParked(column))
    return [name, { ...declared, columns: Object.fromEntries(columns) }]
  })
  return { ...state, tables: new Map(tables) }
}
