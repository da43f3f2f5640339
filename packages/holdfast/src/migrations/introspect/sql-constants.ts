import type { Issue } from '../../base/errors.ts'
import { Column, resolveModel, t, table } from '../../schema/index.ts'
import type { ColumnDefinition } from './column-definition.ts'

/** The texts in quotes in SQL. */
export function stringsIn(text: string): string[] {
  return [...text.replace(/"(?:[^"]|"")*"/g, '').matchAll(/'((?:[^']|'')*)'/g)].map(([, inner]) =>
    (inner as string).replaceAll("''", "'"),
  )
}

/** The constants in SQL that a column can hold. */
export function valuesIn(text: string, definition: ColumnDefinition): unknown[] {
  const probe = table({ id: t.text().primaryKey(), probe: new Column({ ...definition, default: undefined as never }) })
  const column = resolveModel('holdfastProbe', probe as never).byName.get('probe')
  return constantsIn(text, definition).filter((value) => {
    const issues: Issue[] = []
    column?.accept(value, 'probe', issues)
    return issues.length === 0
  })
}

function constantsIn(text: string, { type, scale = 0 }: ColumnDefinition): unknown[] {
  const bytes = [...text.matchAll(/x'([\da-f]*)'|'\\x([\da-f]*)'/gi)].map(([, one, other]) => one ?? other ?? '')
  if (type === 'bytes') return bytes.map((hex) => new Uint8Array(Buffer.from(hex, 'hex')))
  const strings = stringsIn(text)
  if (type === 'text' || type === 'enum' || type === 'date' || type === 'uuid') return strings
  if (type === 'json') return strings.flatMap((one) => parsed(one))
  const bare = text.replace(/"(?:[^"]|"")*"/g, ' ').replace(/'(?:[^']|'')*'/g, ' ')
  if (type === 'boolean') {
    const words = [...bare.matchAll(/\b(true|false|0|1)\b/gi)].map(([word]) => word === 'true' || word === '1')
    return [...new Set([...words, true, false])]
  }
  const numbers = [...bare.matchAll(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi)].map(([number]) => number)
  const found = [...strings, ...numbers]
  if (type === 'timestamp') return found.map((one) => new Date(/^-?\d+$/.test(one) ? Number(one) : one))
  if (type === 'bigint') return found.filter((one) => /^-?\d+$/.test(one)).map(BigInt)
  if (type === 'decimal')
    return found.map((one) => (scale > 0 && !one.includes('.') ? `${one}.${'0'.repeat(scale)}` : one))
  return found.map(Number)
}

function parsed(text: string): unknown[] {
  try {
    return [JSON.parse(text)]
  } catch {
    return []
  }
}
