import type { SchemaEditor, TableRules } from '../../backend/index.ts'
import { Column, resolveModel, t, table } from '../../schema/index.ts'
import { typeScriptName } from '../../schema/names.ts'
import { type ColumnDefinition, isCheck } from './column-definition.ts'

/** How many tables are made at a time to see how the database writes them. */
const AT_ONCE = 150

/** A column that might be the one that is there. */
export interface Probe {
  readonly table: string
  readonly column: string
  readonly definition: ColumnDefinition
}

/** Sees how the database writes columns that might be there. */
export class Prober {
  readonly #schema: SchemaEditor
  readonly #rules: ReadonlyMap<string, TableRules>

  constructor(schema: SchemaEditor, rules: ReadonlyMap<string, TableRules>) {
    this.#schema = schema
    this.#rules = rules
  }

  /** Of each list the first one that is written as the live column is; the last where none is. */
  async first(lists: readonly (readonly Probe[])[]): Promise<Probe[]> {
    const chosen: Probe[] = lists.map((list) => list.at(-1) as Probe)
    const open = lists.flatMap((list, at) => (list.length > 1 ? list.map((probe) => ({ probe, at })) : []))
    const settled = new Set<number>()
    for (let from = 0; from < open.length; from += AT_ONCE) {
      const part = open.slice(from, from + AT_ONCE)
      const written = await this.#written(part.map(({ probe }) => probe))
      for (const [index, { probe, at }] of part.entries()) {
        if (settled.has(at) || !this.#fits(probe, written[index] as ReadonlyMap<string, string>)) continue
        settled.add(at)
        chosen[at] = probe
      }
    }
    return chosen
  }

  async #written(probes: readonly Probe[]): Promise<ReadonlyMap<string, string>[]> {
    const models = probes.map(({ column, definition }, at) => {
      const name = typeScriptName(column) as string
      const key = name === 'probeKey' ? 'probeKeyToo' : 'probeKey'
      const columns = { [key]: t.text().primaryKey(), [name]: new Column(definition) }
      return resolveModel(`holdfastProbe${at}`, table(columns) as never)
    })
    const rules = await this.#schema.expectedRules(new Map(models.map((model) => [model.name, model])))
    const byName = new Map(rules.map((one) => [one.name, one.rules]))
    return models.map((model) => byName.get(model.table) ?? new Map())
  }

  /** Whether everything that the probe says is said by the live table too. */
  #fits({ table: name, column }: Probe, written: ReadonlyMap<string, string>): boolean {
    const live = this.#rules.get(name)?.rules ?? new Map<string, string>()
    const checks = new Set([...live].filter(([rule]) => isCheck(rule)).map(([, text]) => text))
    return [...written].every(([rule, text]) => {
      if (rule.startsWith('primary key') || rule.includes('probe_key')) return true
      return rule === `default of ${column}` ? live.get(rule) === text : !isCheck(rule) || checks.has(text)
    })
  }
}
