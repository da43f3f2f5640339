import type { Issue } from '../base/errors.ts'
import type { Documents, Table } from './declare.ts'
import { checkOptions, type OptionRule, optionRules } from './options.ts'

/** What `indexes` and `unique` may be, of tables, documents and graphs. */
export const indexLists: OptionRule = {
  holds: (value) => Array.isArray(value) && value.every((one) => isName(one) || isListOfNames(one)),
  be: "a list of fields or lists of fields, such as ['email', ['team', 'name']]",
}

const columnList: OptionRule = { holds: isListOfNames, be: "a list of columns, such as ['playlistId', 'trackId']" }

/** Said where it is read. */
const toldElsewhere: OptionRule = { holds: () => true, be: '' }

const shared: Readonly<Record<string, OptionRule>> = {
  indexes: indexLists,
  unique: indexLists,
  history: toldElsewhere,
  watch: toldElsewhere,
  cache: toldElsewhere,
}

const ofDocuments: Readonly<Record<string, OptionRule>> = { schema: toldElsewhere, ...shared }

const ofTables: Readonly<Record<string, OptionRule>> = {
  primaryKey: columnList,
  ...shared,
  sparse: { holds: (value) => Array.isArray(value) && value.every(isName), be: columnList.be },
  shortLived: optionRules.flag,
  checks: {
    holds: (value) => Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null),
    be: 'a list of conditions, such as [{ cost: { gte: 0 } }]',
  },
  versioned: optionRules.flag,
}

/** Adds what is wrong with the options of a table or of documents to `issues`; gives them without it. */
export function acceptModelOptions<Declaration extends Table | Documents>(
  name: string,
  { kind, options }: Declaration,
  issues: Issue[],
): Declaration['options'] {
  const rules = kind === 'table' ? ofTables : ofDocuments
  const before = issues.length
  checkOptions(options, rules, issues, `${name}.`)
  if (issues.length === before) return options
  return Object.fromEntries(Object.entries(options ?? {}).filter(([option, value]) => rules[option]?.holds(value)))
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function isListOfNames(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isName)
}
