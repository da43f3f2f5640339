import { sql } from 'kysely'
import type { Dialect, Encode, Sql, Values } from './dialect.ts'

/** Where one value that is bound comes from. */
export interface Binding {
  /** Which parameter of the call. */
  readonly parameter: number
  /** What is done to it; absent where it is bound as it is. */
  readonly encode?: Encode
  /** The database's type of what is bound. */
  readonly type: string
  /** Binds the parameters `parameter`, `parameter + every`, `parameter + 2 * every`, … to the end as one list. */
  readonly every?: number
}

/** The values to bind for a call with these parameters. */
export function bindAll(bindings: readonly Binding[], parameters: readonly unknown[]): unknown[] {
  const bound = new Array<unknown>(bindings.length)
  for (let index = 0; index < bindings.length; index++) {
    const { parameter, encode, every } = bindings[index] as Binding
    if (every === undefined) bound[index] = encode === undefined ? parameters[parameter] : encode(parameters[parameter])
    else bound[index] = listOf(parameters, parameter, every, encode)
  }
  return bound
}

function listOf(parameters: readonly unknown[], first: number, every: number, encode: Encode | undefined): unknown[] {
  const list: unknown[] = []
  for (let at = first; at < parameters.length; at += every) {
    list.push(encode === undefined ? parameters[at] : encode(parameters[at]))
  }
  return list
}

/** Binds values of new rows: what Kysely compiles as the parameters of a statement are `Binding`s. */
export function boundValues(
  dialect: Dialect,
  written: (placeholder: Sql) => Sql = (placeholder) => placeholder,
): Values {
  const values: Values = {
    place: (parameter, type, encode) => {
      const binding: Binding = { parameter, type, ...(encode !== undefined && { encode }) }
      return written(dialect.placeholder(binding, type))
    },
    isIn: (value, codec, parameter) => dialect.isIn(value, codec, parameter, values),
  }
  return values
}

/** Binds values in statements that look for rows. */
export function boundOperands(dialect: Dialect): Values {
  return boundValues(dialect, dialect.operand)
}

/** Writes values out, for checks and defaults. */
export function literalValues(dialect: Dialect, parameters: readonly unknown[]): Values {
  const literal = (value: unknown, type: string, encode: Encode | undefined): Sql =>
    dialect.literal(encode === undefined ? value : encode(value), type)
  return {
    place: (parameter, type, encode) => literal(parameters[parameter], type, encode),
    isIn: (value, codec, parameter) => {
      const elements = parameters[parameter] as readonly unknown[]
      if (elements.length === 0) return sql`${value} is null and false`
      return dialect.isAmong(
        value,
        elements.map((element) => literal(element, codec.type, codec.encode)),
      )
    },
  }
}
