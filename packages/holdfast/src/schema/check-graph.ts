import type { Issue } from '../base/errors.ts'
import { type GraphDeclaration, labelsAt } from './declare-graph.ts'
import { describe } from './describe.ts'
import { isStorableText, UNSTORABLE_TEXT } from './json.ts'
import { indexLists } from './model-options.ts'
import { byteLength, databaseName, MAX_NAME_BYTES } from './names.ts'
import { checkKnown, checkOptions, type OptionRule } from './options.ts'
import { checkStandard } from './standard-schema.ts'

/** What the names of a graph's tables hold besides its own: `holdfast_city_nodes`. */
const TABLE_NAME_BYTES = 'holdfast__nodes'.length

const byName: OptionRule = {
  holds: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  be: 'an object by names',
}

const OPTIONS = { nodes: byName, relations: byName, indexes: indexLists }

/** Checks the labels and relations of a declared graph. */
export function checkGraph(name: string, declaration: GraphDeclaration, issues: Issue[]): void {
  const { kind: _, ...declared } = declaration
  const before = issues.length
  checkOptions(declared, OPTIONS, issues, `${name}.`)
  if (issues.length > before) return
  const { nodes, relations } = declaration
  if (byteLength(databaseName(name)) > MAX_NAME_BYTES - TABLE_NAME_BYTES) {
    issues.push({
      path: name,
      reason: `is longer than ${MAX_NAME_BYTES - TABLE_NAME_BYTES} bytes, too long for a graph`,
    })
  }
  if (Object.keys(nodes ?? {}).length === 0) issues.push({ path: `${name}.nodes`, reason: 'must name a label' })
  for (const [label, schema] of Object.entries(nodes ?? {})) {
    checkWord(label, `${name}.nodes.${label}`, issues)
    checkStandard(schema, `${name}.nodes.${label}`, issues)
  }
  for (const [relation, along] of Object.entries(relations)) {
    const path = `${name}.relations.${relation}`
    checkWord(relation, path, issues)
    if (!checkKnown(along, ['from', 'to', 'data'], `${path}.`, issues)) continue
    const { from, to, data } = along
    if (data !== undefined) checkStandard(data, `${path}.data`, issues)
    for (const [side, end] of Object.entries({ from, to })) {
      const labels = labelsAt(end)
      if (!Array.isArray(labels) || labels.length === 0)
        issues.push({ path: `${path}.${side}`, reason: `must name a label or a list of them, got ${describe(end)}` })
      else
        for (const label of labels)
          if (!Object.hasOwn(nodes, label))
            issues.push({
              path: `${path}.${side}`,
              reason: `names ${describe(label)}, which is not a label of the graph`,
            })
    }
  }
}

function checkWord(word: string, path: string, issues: Issue[]): void {
  if (word === '' || !isStorableText(word))
    issues.push({ path, reason: word === '' ? 'cannot be empty' : UNSTORABLE_TEXT })
}
