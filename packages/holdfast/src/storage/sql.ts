import type { Kysely } from 'kysely'
import type { Result } from '../backend/index.ts'
import type { Documents, Models, ModelTypes, Schema, Table } from '../schema/index.ts'

/**
 * A value as SQL has it: Holdfast does not translate what raw SQL reads and writes. On SQLite a boolean is 0 or 1, a
 * timestamp a number of milliseconds and JSON a text; on Postgres they are what `pg` makes of them. `docs/sql.md` has the table.
 */
export type SqlValue<Value> = Value extends boolean
  ? boolean | number
  : Value extends Date
    ? Date | number | string
    : Value extends bigint
      ? bigint | number | string
      : Value extends string | number | null | Uint8Array
        ? Value
        : unknown

/** The tables of a schema as Kysely takes them, by their names in TypeScript. */
export type SqlTables<S extends Schema> = {
  [Name in keyof S['declarations'] as S['declarations'][Name] extends Table | Documents ? Name : never]: SqlColumns<
    NonNullable<(S['declarations'][Name] & ModelTypes)['$row']>
  >
}

type SqlColumns<Row> = { [Field in keyof Row]: SqlValue<Row[Field]> }

/** Runs SQL text: a storage or a transaction. */
export interface SqlRunner {
  sql(text: string, parameters: readonly unknown[]): Promise<Result>
}

/** Makes the Kysely instance of a storage or a transaction. It comes from `kysely.ts`, which only backends that run SQL load. */
export type KyselyOf = <S extends Schema>(runner: SqlRunner, models: Models) => Kysely<SqlTables<S>>
