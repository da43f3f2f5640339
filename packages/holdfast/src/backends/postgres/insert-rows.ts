import type { Models } from '../../schema/index.ts'
import type { Insert } from '../../statement/index.ts'
import { bindAll, compileStatement, postgresDialect } from '../sql/index.ts'
import type { Request } from './exchange.ts'
import { PreparedText } from './prepared-text.ts'
import { arrayLiteral, wireValue } from './wire-values.ts'

/** How much one statement carries, in rows and in characters: the server takes at most a gigabyte for one value. */
const MAX_ROWS = 10_000
const MAX_CHARACTERS = 16 * 1024 * 1024

/**
 * What is sent to insert any number of rows. One row is a statement with a parameter for each value; more are lists, one for each
 * column, whatever their number, so that there is one plan for all and the limit of 65,535 parameters is far away.
 */
export class InsertRows {
  readonly #statement: Insert
  readonly #models: Models
  readonly #prepare: boolean
  readonly #one: PreparedText
  #lists: PreparedText | undefined

  constructor(statement: Insert, models: Models, one: PreparedText, prepare: boolean) {
    this.#statement = statement
    this.#models = models
    this.#one = one
    this.#prepare = prepare
  }

  /** How many rows a call has. */
  count(parameters: readonly unknown[]): number {
    const { columns, leading } = this.#statement
    return columns.length === 0 ? 1 : (parameters.length - leading) / columns.length
  }

  /** What is sent for a call; several requests must be sent together, so that all or none take effect. */
  requests(parameters: readonly unknown[]): Request[] {
    const count = this.count(parameters)
    if (count === 1) return [this.#one.request(parameters)]
    const lists = this.#listed
    const bound = bindAll(lists.bindings, parameters)
    if (this.#writesRowTwice(bound, count)) return this.#eachAlone(parameters, count)
    return sections(bound, count).map(([from, to]) => ({
      name: lists.name,
      text: lists.text,
      values: bound.map((value, at) =>
        lists.bindings[at]?.every === undefined
          ? wireValue(value)
          : arrayLiteral(to - from === count ? (value as unknown[]) : (value as unknown[]).slice(from, to)),
      ),
    }))
  }

  get #listed(): PreparedText {
    if (this.#lists === undefined) {
      const { text, bindings } = compileStatement(this.#statement, this.#models, postgresDialect, 'lists')
      this.#lists = new PreparedText(text, bindings, this.#prepare)
    }
    return this.#lists
  }

  #eachAlone(parameters: readonly unknown[], count: number): Request[] {
    const { columns, leading } = this.#statement
    const shared = parameters.slice(0, leading)
    return Array.from({ length: count }, (_, row) => {
      const first = leading + row * columns.length
      return this.#one.request([...shared, ...parameters.slice(first, first + columns.length)])
    })
  }

  /** One statement refuses to update a row that it has inserted or updated itself (21000); one after the other may. */
  #writesRowTwice(bound: readonly unknown[], count: number): boolean {
    const { columns, leading, onConflict } = this.#statement
    if (onConflict === undefined || onConflict.set.length === 0) return false
    const places = onConflict.columns.map((name) => columns.findIndex(({ column }) => column === name))
    if (places.includes(-1)) return false
    if (places.some((place) => columns[place]?.value === 'now')) return true
    const lists = places.map((place) => {
      const at = this.#listed.bindings.findIndex(
        ({ every, parameter }) => every !== undefined && parameter === leading + place,
      )
      return bound[at] as readonly unknown[]
    })
    const keys = Array.from({ length: count }, (_, row) => arrayLiteral(lists.map((list) => list[row])))
    return new Set(keys).size < count
  }
}

/** Cuts rows into sections that are each small enough for one statement. */
function sections(bound: readonly unknown[], count: number): [from: number, to: number][] {
  const lists = bound.filter(Array.isArray) as unknown[][]
  const cut: [number, number][] = []
  let from = 0
  let characters = 0
  for (let row = 0; row < count; row++) {
    if (row - from >= MAX_ROWS || characters > MAX_CHARACTERS) {
      cut.push([from, row])
      from = row
      characters = 0
    }
    for (const list of lists) characters += lengthOf(list[row])
  }
  return count === 0 ? [] : [...cut, [from, count]]
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  return value instanceof Buffer ? value.length * 2 : 8
}
