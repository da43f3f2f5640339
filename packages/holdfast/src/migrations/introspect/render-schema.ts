import type { Documents, Table } from '../../schema/index.ts'
import { literal, propertyName, renderColumn, tableOptions } from '../render.ts'
import type { AnyColumn } from '../step.ts'
import type { FoundTable } from './columns.ts'

/** The file that declares tables, with the relations that their references make. */
export function renderSchema(found: readonly FoundTable[]): string {
  const tables = found.map(({ name, declaration, columns }) => {
    const rest = tableOptions(declaration)
    if (declaration.kind === 'documents') return `  ${propertyName(name)}: documents(${rest ?? ''}),`
    const lines = Object.entries(declaration.columns).map(([column, one]) => {
      const { maybe = [] } = columns.find((own) => own.name === column) ?? {}
      const comment = maybe.length === 0 ? '' : ` // or t.${maybe.join('(), t.')}(): they are stored alike`
      return `      ${propertyName(column)}: ${renderColumn(one)},${comment}`
    })
    return [
      `  ${propertyName(name)}: table(`,
      '    {',
      ...lines,
      `    },`,
      ...(rest === null ? [] : [`    ${rest},`]),
      '  ),',
    ].join('\n')
  })
  const relations = relationsOf(found)
  const given = relations.length === 0 ? '' : `, ({ one, many }) => ({\n${relations.join('\n')}\n})`
  const used = [
    ...(found.some(({ declaration }) => declaration.kind === 'documents') ? ['documents'] : []),
    't',
    'table',
  ]
  return `import { defineSchema, ${used.join(', ')} } from 'holdfast'\n\nexport const schema = defineSchema({\n${tables.join('\n')}\n}${given})\n`
}

interface RelationText {
  readonly name: string
  readonly text: string
}

/** `user: one('users', 'userId')` where there is a `userId`, and `sessions: many('sessions', 'userId')` on the other side. */
function relationsOf(found: readonly FoundTable[]): string[] {
  const relations = new Map<string, RelationText[]>()
  const add = (table: string, name: string, text: string): void => {
    const declared = found.find((one) => one.name === table)?.declaration
    const columns = declared === undefined ? {} : columnsIn(declared)
    const own = relations.get(table) ?? []
    relations.set(table, own)
    if (!(name in columns) && !own.some((one) => one.name === name)) own.push({ name, text })
  }
  for (const { name, declaration } of found) {
    const references = Object.entries(columnsIn(declaration)).flatMap(([column, { definition }]) =>
      definition.references === undefined ? [] : [{ column, model: definition.references.model }],
    )
    for (const { column, model } of references) {
      const isOnly = references.filter((other) => other.model === model).length === 1
      const one = /.Id$/.test(column) ? column.slice(0, -2) : `${column}Of`
      add(name, one, `one(${literal(model)}, ${literal(column)})`)
      const many = isOnly ? name : `${name}By${column.charAt(0).toUpperCase()}${column.slice(1)}`
      add(model, many, `many(${literal(name)}, ${literal(column)})`)
    }
  }
  return [...relations]
    .filter(([, list]) => list.length > 0)
    .map(
      ([table, list]) =>
        `  ${propertyName(table)}: { ${list.map(({ name, text }) => `${propertyName(name)}: ${text}`).join(', ')} },`,
    )
}

function columnsIn(declaration: Table | Documents): Readonly<Record<string, AnyColumn>> {
  return declaration.kind === 'table' ? declaration.columns : {}
}
