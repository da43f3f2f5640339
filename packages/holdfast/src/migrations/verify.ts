import type { ExistingTable, SchemaEditor, TableRules } from '../backend/index.ts'
import type { Model } from '../schema/index.ts'
import { fitOf } from './fit.ts'
import { isParked } from './parking.ts'

/** What `verify` found. */
export interface Verification {
  readonly ok: boolean
  /** Every difference between the database and the schema, one sentence each. */
  readonly differences: readonly string[]
}

/** Every difference between the live tables and the models they should have been made from, one sentence each. */
export async function differencesOf(schema: SchemaEditor, models: readonly Model[]): Promise<string[]> {
  const [tables, rules, expected] = await Promise.all([
    schema.inspect(),
    schema.inspectRules(),
    schema.expectedRules(new Map(models.map((model) => [model.name, model]))),
  ])
  const live = new Map(tables.map((table) => [table.name, table]))
  const liveRules = new Map(rules.map((one) => [one.name, one.rules]))
  const wanted = new Map(expected.map((one) => [one.name, one.rules]))
  return models.flatMap((model) => {
    const table = live.get(model.table)
    const { differences, missing } = fitOf(model, table, schema)
    if (table === undefined) return missing
    const columns = unknownColumns(model, table)
    const named = ruleDifferences(model, liveRules.get(model.table) ?? new Map(), wanted.get(model.table) ?? new Map())
    return [...new Set([...differences, ...missing, ...columns, ...named])]
  })
}

function unknownColumns(model: Model, { columns }: ExistingTable): string[] {
  return columns
    .filter(({ name, nullable }) => nullable && !isParked(name) && !model.columns.some(({ column }) => column === name))
    .map(({ name }) => `${model.table}.${name} is not in the schema`)
}

function ruleDifferences(model: Model, live: TableRules['rules'], wanted: TableRules['rules']): string[] {
  const differences: string[] = []
  for (const [rule, text] of wanted) {
    const found = live.get(rule)
    if (found === undefined) differences.push(`the ${rule} of ${model.name} is missing`)
    else if (found !== text) differences.push(`the ${rule} of ${model.name} is ${found} instead of ${text}`)
  }
  for (const rule of live.keys()) {
    if (!wanted.has(rule) && !rule.includes('holdfast_parked_'))
      differences.push(`the ${rule} of ${model.name} is not in the schema`)
  }
  return differences
}
