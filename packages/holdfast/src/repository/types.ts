import type { CachedReads, Documents, Many, ModelTypes, One, Relations, Schema, Where } from '../schema/index.ts'
import type { AggregateFunction, Direction } from '../statement/index.ts'
import type { Aggregate, DateTrunc, Increment } from './expressions.ts'

/** A path into JSON. */
export type Path = `${string}.${string}`

/** One ordering: `{ name: 'asc' }`. With several fields the first named comes first; a list says so plainly. */
export type Ordering<Row> = { readonly [Name in keyof Row]?: Direction } & { readonly [path: Path]: Direction }

/** An ordering, or a list of them. */
export type OrderBy<Row> = Ordering<Row> | readonly Ordering<Row>[]

/** The relations of one model, by the names used in `include`. */
export type ModelRelations = { readonly [Name in string]: One | Many }

/** The relations of a model of a schema. */
export type RelationsOf<S extends Schema, Name> = Name extends keyof S['relations']
  ? Extract<S['relations'][Name], ModelRelations>
  : Record<never, never>

/** The row of a model of a schema, by any name. */
export type RowOf<S extends Schema, Name> = Name extends keyof S['declarations']
  ? NonNullable<(S['declarations'][Name] & ModelTypes)['$row']>
  : never

/** What `include` takes: `true`, or a query of the related records; `limit` counts for each parent. */
export type Include<S extends Schema, R extends ModelRelations> = {
  readonly [Name in keyof R]?: true | RelatedQuery<S, R[Name]['model']>
}

interface RelatedQuery<S extends Schema, Target extends string> {
  readonly where?: Where<RowOf<S, Target>>
  readonly orderBy?: OrderBy<RowOf<S, Target>>
  readonly limit?: number
  readonly select?: readonly (keyof RowOf<S, Target>)[]
  readonly include?: Include<S, RelationsOf<S, Target>>
}

/**
 * Which records to find, in which order, and what of them.
 *
 * @example
 * ```ts
 * const mine: Query<User> = { where: { team: 'red' }, orderBy: { username: 'asc' }, limit: 20 }
 * await users.find(mine)
 * ```
 */
export interface Query<Row, Field extends keyof Row = keyof Row, I = Record<never, never>> {
  readonly where?: Where<Row>
  /** By the primary key unless given; ties are broken by it. */
  readonly orderBy?: OrderBy<Row>
  readonly limit?: number
  readonly offset?: number
  /** The fields to read; all unless given. */
  readonly select?: readonly Field[]
  /** Related records to load beside each: one statement a relation, however many records. */
  readonly include?: I
  /** See `ReadOptions`. */
  readonly cache?: CachedReads | false
}

/**
 * A query for one record: it must say which, by `where`, `orderBy` or both.
 *
 * @example
 * ```ts
 * await users.findOne({ where: { username: 'kim' }, select: ['id', 'cost'] })
 * ```
 */
export interface OneQuery<Row, Field extends keyof Row = keyof Row, I = Record<never, never>>
  extends Omit<Query<Row, Field, I>, 'limit'> {}

/** A query for a page. */
export interface PageQuery<Row, Field extends keyof Row = keyof Row, I = Record<never, never>>
  extends Omit<Query<Row, Field, I>, 'limit' | 'offset'> {
  /** How many records a page holds; 100 unless given. */
  readonly first?: number | undefined
  /** The `next` of the page before; left out or null for the first page. */
  readonly after?: string | null | undefined
}

/** A page and where the next one starts; null after the last. */
export interface Page<Item> {
  readonly items: Item[]
  readonly next: string | null
}

/** A record as a query gives it: the selected fields, and what was included. */
export type Found<
  Row,
  S extends Schema,
  R extends ModelRelations,
  Field extends keyof Row,
  I,
> = (keyof Row extends Field ? Row : Pick<Row, Field>) & (keyof I extends never ? unknown : Included<S, R, I>)

type Included<S extends Schema, R extends ModelRelations, I> = {
  -readonly [Name in keyof I & keyof R]: R[Name]['kind'] extends 'many'
    ? Related<S, R[Name]['model'], I[Name]>[]
    : Related<S, R[Name]['model'], I[Name]> | null
}

type Related<S extends Schema, Target, Q> = (Q extends { readonly select: readonly (infer Field)[] }
  ? Pick<RowOf<S, Target>, Field & keyof RowOf<S, Target>>
  : RowOf<S, Target>) &
  (Q extends { readonly include: infer I } ? Included<S, RelationsOf<S, Target>, I> : unknown)

/** Refuses names in `include` that are not relations, which inference alone would let pass. */
export type OnlyRelations<I, R> = { readonly [Name in Exclude<keyof I, keyof R>]: never }

/** A change of some fields; `undefined` leaves a field alone, null sets null. */
export type Patch<Row> = {
  readonly [Name in keyof Row]?: Row[Name] | IncrementOf<Row[Name]> | undefined
}

type IncrementOf<Value> =
  Extract<Value, number | bigint | string> extends infer N extends number | bigint | string
    ? [N] extends [never]
      ? never
      : Increment<N>
    : never

/**
 * What `aggregate` groups by: a field, a list of fields, or result names, each with a field or a truncated timestamp.
 *
 * @example
 * ```ts
 * const n = count()
 * await messages.aggregate({ groupBy: 'userId', select: { n } })
 * await messages.aggregate({ groupBy: ['userId', 'day'], select: { n } })
 * await messages.aggregate({ groupBy: { user: 'userId', week: dateTrunc('week', 'sentAt') }, select: { n } })
 * ```
 */
export type GroupBy<Row> =
  | Names<(keyof Row & string) | Path>
  | { readonly [name: string]: (keyof Row & string) | Path | DateTrunc<(keyof Row & string) | Path> }

/** Fields that are called in the results what they are called in the model: one, or a list. */
export type Names<Name extends string> = Name | readonly Name[]

/** Result names and what they stand for, also where only fields were named. */
export type Named<Outputs> = Outputs extends string
  ? { readonly [Name in Outputs]: Name }
  : Outputs extends readonly (infer Name extends string)[]
    ? { readonly [Field in Name]: Field }
    : Outputs

/** What `aggregate` computes: result names, each an aggregate. */
export type Aggregates<Row> = {
  readonly [name: string]: Aggregate<AggregateFunction, (keyof Row & string) | Path>
}

/**
 * A grouped question.
 *
 * @example
 * ```ts
 * await messages.aggregate({ groupBy: 'userId', select: { n: count() }, having: { n: { gt: 10 } }, orderBy: { n: 'desc' } })
 * ```
 */
export interface AggregateQuery<Row, G extends GroupBy<Row>, A extends Aggregates<Row>> {
  readonly where?: Where<Row>
  /** Left out: one group of all rows, and exactly one result. */
  readonly groupBy?: G
  readonly select: A
  /** A condition on the results, by their names. */
  readonly having?: Where<AggregateRow<Row, G, A>>
  /** An ordering of the results, by their names; by the groups unless given. */
  readonly orderBy?: OrderBy<AggregateRow<Row, G, A>>
  readonly limit?: number
  readonly offset?: number
  /** See `ReadOptions`. */
  readonly cache?: CachedReads | false
}

/** One result of an aggregate. */
export type AggregateRow<Row, G, A> = GroupRow<Row, Named<G>> & {
  -readonly [Name in keyof A]: A[Name] extends Aggregate<infer F, infer Field> ? AggregateValue<Row, F, Field> : never
}

type GroupRow<Row, G> = {
  -readonly [Name in keyof G]: G[Name] extends DateTrunc<infer Field>
    ? TruncatedValue<Row, Field>
    : G[Name] extends keyof Row
      ? Row[G[Name]]
      : unknown
}

/** What a truncated timestamp gives: null where there is none. */
export type TruncatedValue<Row, Field> = Field extends keyof Row ? Date | Extract<Row[Field], null> : Date

/** What an aggregate of a field gives; null stands for no rows. */
export type AggregateValue<Row, F extends AggregateFunction, Field> = F extends 'count' | 'countDistinct'
  ? number
  : F extends 'avg'
    ? number | null
    : F extends 'sum'
      ? SumOf<Field extends keyof Row ? Row[Field] : number> | null
      : (Field extends keyof Row ? NonNullable<Row[Field]> : string | number | boolean) | null

type SumOf<Value> = NonNullable<Value> extends bigint ? bigint : NonNullable<Value> extends string ? string : number

/** The schema of a collection nobody declared. */
export type UndeclaredSchema<Content extends object> = Schema<{ [name: string]: Documents<Content> }, Relations>
