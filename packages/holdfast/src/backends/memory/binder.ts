import type { Operand } from '../../statement/index.ts'
import { identityOf } from './order.ts'
import { encoderOf, type ValueType } from './values.ts'

/** The values of one execution, as stored values, in the order in which the plan asked for them. */
export type Values = readonly unknown[]

type Maker = (parameters: readonly unknown[], nowMs: number) => unknown

/** Gathers, while a plan is made, which values it needs; so that each is encoded once an execution, not once a row. */
export class Binder {
  readonly #makers: Maker[] = []

  /** Asks for a parameter; gives its place among the values. */
  parameter(parameter: number, type: ValueType): number {
    const encode = encoderOf(type) ?? asGiven
    return this.#add((parameters) => encode(parameters[parameter]))
  }

  /** Asks for a number that is used as it is, such as a limit. */
  count(parameter: number): number {
    return this.#add((parameters) => parameters[parameter])
  }

  /** Asks for an operand. */
  operand(operand: Operand, type: ValueType): number {
    if (operand.kind === 'parameter') return this.parameter(operand.parameter, type)
    const { plusMs } = operand
    return this.#add((parameters, nowMs) => nowMs + (parameters[plusMs] as number))
  }

  /** Asks for a list parameter. */
  list(parameter: number, type: ValueType): number {
    const encode = encoderOf(type) ?? asGiven
    return this.#add((parameters) => (parameters[parameter] as readonly unknown[]).map(encode))
  }

  /** Asks for a list parameter as a set of identities. */
  set(parameter: number, type: ValueType): number {
    const encode = encoderOf(type) ?? asGiven
    return this.#add((parameters) => {
      const list = parameters[parameter] as readonly unknown[]
      return new Set(list.map((value) => identityOf(encode(value))))
    })
  }

  /** The values for one execution. */
  bind(parameters: readonly unknown[], nowMs: number): unknown[] {
    const values = new Array<unknown>(this.#makers.length)
    for (let at = 0; at < values.length; at++) values[at] = (this.#makers[at] as Maker)(parameters, nowMs)
    return values
  }

  #add(maker: Maker): number {
    return this.#makers.push(maker) - 1
  }
}

function asGiven(value: unknown): unknown {
  return value ?? null
}
