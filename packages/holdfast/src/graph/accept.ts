import { type Issue, ValidationError } from '../base/errors.ts'
import {
  acceptJson,
  describe,
  type GraphDeclaration,
  isStorableText,
  UNSTORABLE_TEXT,
  validateStandard,
} from '../schema/index.ts'
import { isPlainObject } from '../statement/index.ts'
import type { GraphContext } from './context.ts'

/** How many of the reasons why many nodes or edges were refused are told. */
const MOST_ISSUES = 20

/** @throws ValidationError where there are issues. */
export function assertNone(issues: readonly Issue[], subject: string): void {
  if (issues.length > 0) throw new ValidationError(subject, issues.slice(0, MOST_ISSUES))
}

/** Checks a label: in a declared graph it must be one of its own. */
export function acceptLabel({ name, declaration }: GraphContext, label: unknown, path: string, issues: Issue[]): void {
  acceptWord(label, path, issues, declaration?.nodes, `is not a label of ${name}`)
}

/** Checks a relation: in a declared graph it must be one of its own. */
export function acceptRelation(
  { name, declaration }: GraphContext,
  relation: unknown,
  path: string,
  issues: Issue[],
): void {
  acceptWord(relation, path, issues, declaration?.relations, `is not a relation of ${name}`)
}

function acceptWord(word: unknown, path: string, issues: Issue[], known: object | undefined, reason: string): void {
  if (typeof word !== 'string' || word === '') {
    issues.push({ path, reason: `must be text that is not empty, got ${describe(word)}` })
  } else if (!isStorableText(word)) issues.push({ path, reason: UNSTORABLE_TEXT })
  else if (known !== undefined && !Object.hasOwn(known, word)) {
    issues.push({ path, reason: `${describe(word)} ${reason}; it has ${Object.keys(known).join(', ')}` })
  }
}

/** Checks one name or a list of them; undefined where none is given. */
export function acceptNames(
  context: GraphContext,
  kind: 'label' | 'relation',
  names: unknown,
  path: string,
  issues: Issue[],
): readonly string[] | undefined {
  if (names === undefined) return undefined
  const accept = kind === 'label' ? acceptLabel : acceptRelation
  if (!Array.isArray(names)) {
    accept(context, names, path, issues)
    return [names as string]
  }
  for (const [index, name] of names.entries()) accept(context, name, `${path}.${index}`, issues)
  return names as string[]
}

/** Checks an id that is to be looked for. */
export function acceptId(id: unknown, path: string, issues: Issue[]): void {
  if (typeof id !== 'string') issues.push({ path, reason: `must be text, got ${describe(id)}` })
  else if (!isStorableText(id)) issues.push({ path, reason: UNSTORABLE_TEXT })
}

/** Checks the data of a node by the schema of its label. */
export function acceptNodeData(
  { declaration }: GraphContext,
  label: unknown,
  data: unknown,
  path: string,
  issues: Issue[],
): unknown {
  const schema = ownMember(declaration?.nodes, label)
  const before = issues.length
  const output = schema === undefined ? data : validateStandard(schema, data, path, issues)
  if (issues.length > before) return {}
  if (!isPlainObject(output)) {
    issues.push({ path, reason: `must be an object, got ${describe(output)}` })
    return {}
  }
  return acceptJson(output, path, issues)
}

/** Checks the data of an edge by the schema of its relation; null for none. */
export function acceptEdgeData(
  { declaration }: GraphContext,
  relation: unknown,
  data: unknown,
  path: string,
  issues: Issue[],
): unknown {
  const declared = ownMember(declaration?.relations, relation)
  const before = issues.length
  const output = declared?.data === undefined ? data : validateStandard(declared.data, data, path, issues)
  if (issues.length > before || output === undefined || output === null) return null
  if (isPlainObject(output)) return acceptJson(output, path, issues)
  issues.push({ path, reason: `must be an object, got ${describe(output)}` })
  return null
}

function ownMember<Members extends GraphDeclaration['nodes'] | GraphDeclaration['relations']>(
  members: Members | undefined,
  name: unknown,
): Members[string] | undefined {
  return members !== undefined && typeof name === 'string' && Object.hasOwn(members, name)
    ? (members[name] as Members[string])
    : undefined
}
