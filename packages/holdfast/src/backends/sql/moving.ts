import { sql } from 'kysely'
import type { Model, Models } from '../../schema/index.ts'
import type { Delete, Moved } from '../../statement/index.ts'
import { compileOperand } from './conditions.ts'
import type { Dialect, Sql } from './dialect.ts'
import { aliasOf, type ConditionContext, columnOf, type Fields, fieldsOf, modelOf, plainOf } from './fields.ts'
import { type CompilableQuery, returnedColumns } from './outputs.ts'
import { type WriteParts, writeParts } from './update.ts'

/** A delete that puts what it removes into another table. */
export type MovingDelete = Delete & { readonly into: Moved }

/** Makes one statement of it, the delete inside of another one: only Postgres takes that. */
export function movingQuery(statement: MovingDelete, models: Models, dialect: Dialect): CompilableQuery {
  const { into, returning } = statement
  const model = modelOf(models, statement.model)
  const parts = writeParts(statement, model, dialect)
  const outputs = returnedColumns(model, returning, dialect)
  const removal = sql`delete from ${tableOf(model)}${wherePart(parts)} returning ${sql.join(removedColumns(statement, model))}`
  const removed = sql.id('removed')
  const cells = movedCells(into, models, fieldsOf(model, dialect, 'removed'), parts.context)
  const move = sql`${insertion(into, models)} select ${cells} from ${removed}`
  const given = outputs.map(({ read, column }) => read.as(column.name))
  const text =
    given.length === 0
      ? sql`with ${removed} as (${removal}) ${move}`
      : sql`with ${removed} as (${removal}), "moved" as (${move}) select ${sql.join(given)} from ${removed}`
  return { query: { compile: () => text.compile(dialect.builder) }, outputs: outputs.map(({ column }) => column) }
}

/** The first half of it, which copies the rows into the other table, for databases where it takes two statements. */
export function copyingQuery(statement: MovingDelete, models: Models, dialect: Dialect): CompilableQuery {
  const { into } = statement
  const model = modelOf(models, statement.model)
  const parts = writeParts(statement, model, dialect)
  const cells = movedCells(into, models, parts.context.fields, parts.context)
  const text = sql`${insertion(into, models)} select ${cells} from ${tableOf(model)}${wherePart(parts)}`
  return { query: { compile: () => text.compile(dialect.builder) }, outputs: [] }
}

function tableOf(model: Model): Sql {
  return sql`${sql.id(model.table)} as ${sql.id(aliasOf(0))}`
}

function wherePart({ where }: WriteParts): Sql {
  return where === undefined ? sql`` : sql` where ${where}`
}

/** What the delete must give: what is moved, and what is asked back. */
function removedColumns({ into, returning }: MovingDelete, model: Model): Sql[] {
  const moved = into.columns.flatMap(({ value }) => (value.kind === 'column' ? [value.column] : []))
  const names = new Set([...moved, ...returning])
  const columns = names.size === 0 ? model.primaryKey : [...names]
  return columns.map((name) => sql.id(aliasOf(0), columnOf(model, name).column))
}

function insertion({ model, columns }: Moved, models: Models): Sql {
  const target = modelOf(models, model)
  const names = columns.map(({ column }) => sql.id(columnOf(target, column).column))
  return sql`insert into ${sql.id(target.table)} (${sql.join(names)})`
}

function movedCells({ model, columns }: Moved, models: Models, source: Fields, context: ConditionContext): Sql {
  const target = fieldsOf(modelOf(models, model), context.dialect)
  const cells = columns.map(({ column, value }) => {
    if (value.kind === 'column') return plainOf(source({ source: 0, column: value.column, path: [] }))
    const term = target({ source: 0, column, path: [] })
    // Where there is no path, a field is a value.
    return term.kind === 'path' ? term.path.whole : compileOperand(value, term, context)
  })
  return sql.join(cells)
}
