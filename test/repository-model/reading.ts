import type { Query, Read } from './calls.ts'
import { holds } from './conditions.ts'
import type { Content } from './content.ts'
import { comparing } from './order.ts'
import { type Fields, type Name, RULES } from './schema.ts'
import { areEqual, valueAt } from './values.ts'
import { existing, find } from './writing.ts'

/**
 * Does a read.
 *
 * @throws Refusal
 */
export function read(call: Read, content: Content): unknown {
  switch (call.do) {
    case 'find':
    case 'stream':
      return ask(content, call.model, call.query)
    case 'findOne':
      return ask(content, call.model, { ...call.query, limit: 1 })[0] ?? null
    case 'pages':
      return pagesOf(ask(content, call.model, call.query), call.first)
    case 'getById':
      return existing(content, call.model, call.key)
    case 'exists':
      return find(content, call.model, call.key) !== undefined
    case 'findByIds': {
      const found = call.keys.map((key) => find(content, call.model, key))
      return [...new Set(found)].filter((record) => record !== undefined)
    }
    case 'count':
      return content[call.model].filter((record) => holds(call.where, record)).length
  }
}

/** All pages of some records; of none there is one, which is empty. */
function pagesOf(records: readonly Fields[], first: number): readonly (readonly Fields[])[] {
  const pages = Array.from({ length: Math.ceil(records.length / first) }, (_, at) =>
    records.slice(at * first, (at + 1) * first),
  )
  return pages.length > 0 ? pages : [[]]
}

/** The records of a query, in its order, with what it includes. */
function ask(content: Content, model: Name, query: Query): Fields[] {
  return chosen(content[model], model, query).map((record) => shown(content, model, record, query))
}

function chosen(records: readonly Fields[], model: Name, query: Query): readonly Fields[] {
  const { where = {}, limit = Number.POSITIVE_INFINITY, offset = 0 } = query
  return inOrder(
    records.filter((record) => holds(where, record)),
    model,
    query.orderBy,
  ).slice(offset, offset + limit)
}

/** Records in an order; ties are broken by the key. */
export function inOrder(records: readonly Fields[], model: Name, orderBy: readonly Fields[] = []): readonly Fields[] {
  return records.toSorted(comparing(orderBy, RULES[model].key))
}

/** A record as a query gives it. */
function shown(content: Content, model: Name, record: Fields, { select, include = {} }: Query): Fields {
  const fields = select === undefined ? record : picked(record, select)
  const loaded = Object.entries(include).map(([name, query]) => [name, related(content, model, record, name, query)])
  return { ...fields, ...Object.fromEntries(loaded) }
}

function picked(record: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.filter((name) => name in record).map((name) => [name, record[name]]))
}

function related(content: Content, model: Name, record: Fields, name: string, asked: true | Query): unknown {
  const relation = RULES[model].relations[name]
  if (relation === undefined) throw new TypeError(`The model knows no relation ${model}.${name}`)
  const { kind, to, local, foreign } = relation
  const query = asked === true ? {} : asked
  const belonging = content[to].filter((other) =>
    local.every((field, at) =>
      areEqual(valueAt(record, field), valueAt(other, foreign[at] as string), foreign[at] as string),
    ),
  )
  const found = chosen(belonging, to, query).map((other) => shown(content, to, other, query))
  return kind === 'many' ? found : (found[0] ?? null)
}
