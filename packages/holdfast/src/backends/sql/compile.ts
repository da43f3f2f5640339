import type { Models } from '../../schema/index.ts'
import type { Statement } from '../../statement/index.ts'
import type { Dialect } from './dialect.ts'
import { type InsertRows, insertQuery } from './insert.ts'
import { copyingQuery, type MovingDelete, movingQuery } from './moving.ts'
import type { CompilableQuery, OutputColumn } from './outputs.ts'
import { selectQuery } from './select.ts'
import { deleteQuery, updateQuery } from './update.ts'
import type { Binding } from './values.ts'

/** A statement in SQL: its text, what is bound to it, and what its rows hold, by position. */
export interface Compiled {
  readonly text: string
  /** In the order of the placeholders; `bindAll` makes the values of a call. */
  readonly bindings: readonly Binding[]
  /** In the order of the columns; `rowReader` makes rows of what a driver reads. */
  readonly outputs: readonly OutputColumn[]
  /** Whether it gives rows: a select, or a write that gives something back. */
  readonly givesRows: boolean
}

/**
 * Makes SQL of a statement, for any values.
 *
 * @param rows for inserts: how many rows, one unless given.
 */
export function compileStatement(
  statement: Statement,
  models: Models,
  dialect: Dialect,
  rows: InsertRows = 1,
): Compiled {
  return compiled(statement, queryOf(statement, models, dialect, rows))
}

/** Makes SQL of the first half of a moving delete: it copies the rows. The delete is to follow, before anybody else writes. */
export function compileCopying(statement: MovingDelete, models: Models, dialect: Dialect): Compiled {
  return compiled({ ...statement, returning: [] }, copyingQuery(statement, models, dialect))
}

function compiled(statement: Statement, { query, outputs }: CompilableQuery): Compiled {
  const { sql, parameters, query: node } = query.compile()
  // A write may give rows without outputs: those by which a counter of keys is moved on.
  const givesRows = statement.kind === 'select' || outputs.length > 0 || 'returning' in node
  return { text: sql, bindings: parameters as readonly Binding[], outputs, givesRows }
}

function queryOf(statement: Statement, models: Models, dialect: Dialect, rows: InsertRows): CompilableQuery {
  switch (statement.kind) {
    case 'select':
      return selectQuery(statement, models, dialect)
    case 'insert':
      return insertQuery(statement, models, dialect, rows)
    case 'update':
      return updateQuery(statement, models, dialect)
    case 'delete':
      if (statement.into !== undefined) return movingQuery({ ...statement, into: statement.into }, models, dialect)
      return deleteQuery(statement, models, dialect)
  }
}
