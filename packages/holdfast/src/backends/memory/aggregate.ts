import { ValidationError } from '../../base/errors.ts'
import type { AggregateFunction, Output } from '../../statement/index.ts'
import { compareStored, identityOf } from './order.ts'
import type { Reader } from './predicate.ts'
import { NUMBER, type StoredRow, type ValueType } from './values.ts'

/** Takes in the rows of a group, one by one, and gives what they come to. */
export interface Accumulator {
  add(row: StoredRow): void
  /** @throws ValidationError when it cannot be given as the type of the result. */
  result(): unknown
}

type AggregateOutput = Extract<Output, { readonly kind: 'aggregate' }>

/** The type of an aggregate's result. */
export function resultType(called: AggregateFunction, type: ValueType): ValueType {
  if (called === 'min' || called === 'max') return type
  return called === 'sum' && type.type !== 'path' ? type : NUMBER
}

/** Makes what makes accumulators: one for each group. Without a field `read` is undefined, and rows are counted. */
export function compileAggregate(
  output: AggregateOutput,
  read: Reader | undefined,
  type: ValueType,
): () => Accumulator {
  if (read === undefined) return () => new Count(() => true)
  switch (output.function) {
    case 'count':
      return () => new Count(read)
    case 'countDistinct':
      return () => new CountDistinct(read)
    case 'min':
      return () => new Extreme(read, -1)
    case 'max':
      return () => new Extreme(read, 1)
    case 'sum':
      return () => new Sum(read, type, output.name)
    case 'avg':
      return () => new Average(read, type, output.name)
  }
}

class Count implements Accumulator {
  readonly #read: Reader
  #count = 0

  constructor(read: Reader) {
    this.#read = read
  }

  add(row: StoredRow): void {
    if (this.#read(row) !== null) this.#count++
  }

  result(): number {
    return this.#count
  }
}

class CountDistinct implements Accumulator {
  readonly #read: Reader
  readonly #seen = new Set<unknown>()

  constructor(read: Reader) {
    this.#read = read
  }

  add(row: StoredRow): void {
    const value = this.#read(row)
    if (value !== null) this.#seen.add(identityOf(value))
  }

  result(): number {
    return this.#seen.size
  }
}

class Extreme implements Accumulator {
  readonly #read: Reader
  readonly #sign: 1 | -1
  #extreme: unknown = null

  constructor(read: Reader, sign: 1 | -1) {
    this.#read = read
    this.#sign = sign
  }

  add(row: StoredRow): void {
    const value = this.#read(row)
    if (value === null) return
    if (this.#extreme === null || compareStored(value, this.#extreme) * this.#sign > 0) this.#extreme = value
  }

  result(): unknown {
    return this.#extreme
  }
}

/** Adds up numbers: whole ones exactly, whatever the sum comes to on the way. Other types at a JSON path do not count. */
class Total {
  readonly #exact: boolean
  count = 0
  #sum: number | bigint = 0

  constructor({ type }: ValueType) {
    this.#exact = type === 'integer'
  }

  add(value: unknown): void {
    if (typeof value !== 'number' && typeof value !== 'bigint') return
    this.count++
    if (typeof value === 'bigint') this.#sum = BigInt(this.#sum) + value
    else if (typeof this.#sum === 'bigint') this.#sum += BigInt(value)
    else {
      const sum: number = this.#sum + value
      this.#sum = this.#exact && !Number.isSafeInteger(sum) ? BigInt(this.#sum) + BigInt(value) : sum
    }
  }

  get sum(): number | bigint {
    return this.#sum
  }
}

const LIMIT_64 = 2n ** 63n

class Sum implements Accumulator {
  readonly #read: Reader
  readonly #total: Total
  readonly #type: ValueType
  readonly #name: string

  constructor(read: Reader, type: ValueType, name: string) {
    this.#read = read
    this.#total = new Total(type)
    this.#type = type
    this.#name = name
  }

  add(row: StoredRow): void {
    this.#total.add(this.#read(row))
  }

  result(): unknown {
    const { count, sum } = this.#total
    if (count === 0) return null
    switch (this.#type.type) {
      case 'integer':
        return Number.isSafeInteger(Number(sum)) ? Number(sum) : refuse(this.#name, 'adds up to no safe integer')
      case 'bigint':
      case 'decimal':
        return sum >= -LIMIT_64 && sum < LIMIT_64 ? sum : refuse(this.#name, 'adds up to more than 64 bits')
      default:
        return Number.isFinite(sum) ? sum : refuse(this.#name, 'adds up to no finite number')
    }
  }
}

class Average implements Accumulator {
  readonly #read: Reader
  readonly #total: Total
  readonly #scale: number
  readonly #name: string

  constructor(read: Reader, type: ValueType, name: string) {
    this.#read = read
    this.#total = new Total(type)
    this.#scale = type.type === 'decimal' ? (type.scale ?? 0) : 0
    this.#name = name
  }

  add(row: StoredRow): void {
    this.#total.add(this.#read(row))
  }

  result(): unknown {
    const { count, sum } = this.#total
    if (count === 0) return null
    const mean = Number(sum) / 10 ** this.#scale / count
    return Number.isFinite(mean) ? mean : refuse(this.#name, 'has no finite mean')
  }
}

function refuse(path: string, reason: string): never {
  throw new ValidationError(
    'The result is too large',
    [{ path, reason }],
    'Ask for less, or use a type of more digits.',
  )
}
