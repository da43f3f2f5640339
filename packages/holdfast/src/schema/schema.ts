import type { Declarations, Documents, Many, ModelTypes, One, Relations, Table } from './declare.ts'
import type { GraphDeclaration } from './declare-graph.ts'
import type { Model } from './model.ts'
import type { QueueDeclaration } from './queue.ts'
import { resolveModels } from './resolve.ts'

/** What the relations callback is given. */
export interface RelationBuilders<Name extends string> {
  /** `sessions: { user: one('users', 'userId') }`: `sessions.userId` holds the key of a user. */
  one<Target extends Name>(model: Target, fields: string | readonly string[]): One<Target>
  /** `users: { sessions: many('sessions', 'userId') }`: `sessions.userId` holds the key of this user. */
  many<Target extends Name>(model: Target, fields: string | readonly string[]): Many<Target>
}

/** A checked schema, as `openStorage` takes it. */
export interface Schema<D extends Declarations = Declarations, R extends Relations = Relations> {
  readonly declarations: D
  readonly relations: R
  /** The tables and documents, resolved. */
  readonly models: ReadonlyMap<string, Model>
}

/** The names of the models (tables and documents) of a schema. */
export type ModelName<S extends Schema> = {
  [Name in keyof S['declarations']]: S['declarations'][Name] extends Table | Documents ? Name : never
}[keyof S['declarations']] &
  string

/** The names of the queues of a schema. */
export type QueueName<S extends Schema> = {
  [Name in keyof S['declarations']]: S['declarations'][Name] extends QueueDeclaration ? Name : never
}[keyof S['declarations']] &
  string

/** The names of the graphs of a schema. */
export type GraphName<S extends Schema> = {
  [Name in keyof S['declarations']]: S['declarations'][Name] extends GraphDeclaration ? Name : never
}[keyof S['declarations']] &
  string

/** A row of a model, as it is read. `Row<typeof schema, 'users'>` */
export type Row<S extends Schema, Name extends ModelName<S>> = NonNullable<
  (S['declarations'][Name] & ModelTypes)['$row']
>

/** What `create` takes. */
export type Insert<S extends Schema, Name extends ModelName<S>> = NonNullable<
  (S['declarations'][Name] & ModelTypes)['$insert']
>

/** What `findById` takes. */
export type Key<S extends Schema, Name extends ModelName<S>> = NonNullable<
  (S['declarations'][Name] & ModelTypes)['$key']
>

/**
 * Declares a schema: its tables, documents, queues and graphs, and how their records belong together.
 *
 * @throws ConfigurationError naming every mistake: a reference to nowhere, an index on an unknown field,
 *   two names that are one in the database.
 *
 * @example
 * ```ts
 * const schema = defineSchema({
 *   users: table({ id: t.integer().primaryKey(), name: t.text() }),
 *   sessions: table({ id: t.id(), userId: t.integer().references('users') }, { indexes: ['userId'] }),
 * }, ({ one, many }) => ({ sessions: { user: one('users', 'userId') }, users: { sessions: many('sessions', 'userId') } }))
 * ```
 */
export function defineSchema<const D extends Declarations, const R extends RelationsOf<D> = Record<never, never>>(
  declarations: D,
  relations?: (builders: RelationBuilders<keyof D & string>) => R,
): Schema<D, R> {
  const declared = typeof relations === 'function' ? relations({ one, many }) : (relations ?? ({} as R))
  return { declarations, relations: declared, models: resolveModels(declarations, declared) }
}

type RelationsOf<D extends Declarations> = { readonly [Name in keyof D]?: { readonly [Name in string]: One | Many } }

function one<Target extends string>(model: Target, fields: string | readonly string[]): One<Target> {
  return { kind: 'one', model, fields: typeof fields === 'string' ? [fields] : fields }
}

function many<Target extends string>(model: Target, fields: string | readonly string[]): Many<Target> {
  return { kind: 'many', model, fields: typeof fields === 'string' ? [fields] : fields }
}
