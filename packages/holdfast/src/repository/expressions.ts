import type { AggregateFunction, DateUnit } from '../statement/index.ts'

/**
 * A change that adds to what is stored, in the database, so that no concurrent addition is lost.
 *
 * @example
 * ```ts
 * const addition: Increment<number> = increment(1)
 * ```
 */
export class Increment<Value extends number | bigint | string = number> {
  readonly by: Value

  constructor(by: Value) {
    this.by = by
  }
}

/**
 * Adds to a number in a patch, atomically: `update(id, { turns: increment(1) })`. A null stays null; a field that a document
 * does not have counts as 0.
 *
 * @param by what is added; a bigint for `bigint` columns, text such as `'-1.50'` for `decimal` columns.
 *
 * @example
 * ```ts
 * await sessions.update(id, { turns: increment(1), price: increment('-1.50') })
 * ```
 */
export function increment<Value extends number | bigint | string = number>(by: Value): Increment<Value> {
  return new Increment(by)
}

/** An aggregate in `select`: a function and the field it reads. */
export class Aggregate<Function extends AggregateFunction = AggregateFunction, Name extends string = string> {
  readonly function: Function
  /** Missing for `count()`, which counts rows. */
  readonly field: Name | undefined

  constructor(name: Function, field: Name | undefined) {
    this.function = name
    this.field = field
  }
}

/** A timestamp cut down to the start of its day, week, … in `groupBy`. */
export class DateTrunc<Name extends string = string> {
  readonly unit: DateUnit
  readonly field: Name

  constructor(unit: DateUnit, field: Name) {
    this.unit = unit
    this.field = field
  }
}

/**
 * Counts rows; with a field, the rows where it is not null.
 *
 * @example
 * ```ts
 * await users.aggregate({ select: { all: count(), named: count('username') } })
 * ```
 */
export function count(): Aggregate<'count', never>
export function count<Name extends string>(field: Name): Aggregate<'count', Name>
export function count(field?: string): Aggregate<'count', string> {
  return new Aggregate('count', field)
}

/**
 * Counts the different values of a field; null does not count.
 *
 * @example
 * ```ts
 * await messages.aggregate({ groupBy: 'day', select: { users: countDistinct('userId') } })
 * ```
 */
export function countDistinct<Name extends string>(field: Name): Aggregate<'countDistinct', Name> {
  return new Aggregate('countDistinct', field)
}

/**
 * Adds up a field: a number, a bigint for `bigint` columns, text for `decimal` columns, null over no rows.
 *
 * @example
 * ```ts
 * await messages.aggregate({ groupBy: 'userId', select: { cost: sum('cost') } })
 * ```
 */
export function sum<Name extends string>(field: Name): Aggregate<'sum', Name> {
  return new Aggregate('sum', field)
}

/**
 * The mean of a field as a number, null over no rows.
 *
 * @example
 * ```ts
 * await messages.aggregate({ select: { mean: avg('durationMs') } })
 * ```
 */
export function avg<Name extends string>(field: Name): Aggregate<'avg', Name> {
  return new Aggregate('avg', field)
}

/**
 * The least value of a field, by the order of its type; null over no rows.
 *
 * @example
 * ```ts
 * await messages.aggregate({ groupBy: 'userId', select: { first: min('sentAt') } })
 * ```
 */
export function min<Name extends string>(field: Name): Aggregate<'min', Name> {
  return new Aggregate('min', field)
}

/**
 * The greatest value of a field, by the order of its type; null over no rows.
 *
 * @example
 * ```ts
 * await messages.aggregate({ groupBy: 'userId', select: { last: max('sentAt') } })
 * ```
 */
export function max<Name extends string>(field: Name): Aggregate<'max', Name> {
  return new Aggregate('max', field)
}

/**
 * Cuts a timestamp down to the start of its minute, hour, day, week (Monday), month, quarter or year, in UTC.
 *
 * @example
 * ```ts
 * await messages.aggregate({ groupBy: { day: dateTrunc('day', 'sentAt') }, select: { n: count(), cost: sum('cost') } })
 * ```
 */
export function dateTrunc<Name extends string>(unit: DateUnit, field: Name): DateTrunc<Name> {
  return new DateTrunc(unit, field)
}
