import { ConfigurationError, type Issue, ValidationError } from '../base/errors.ts'
import { checkGraph } from './check-graph.ts'
import { checkCollisions, checkDeclaredName, isReservedTable, KEPT_BY_DATABASES } from './check-names.ts'
import type { Declarations, Documents, Relations, Table } from './declare.ts'
import { describe } from './describe.ts'
import { tellApart } from './distinct-names.ts'
import type { Model } from './model.ts'
import { databaseName } from './names.ts'
import { checkQueueOptions, type QueueDeclaration } from './queue.ts'
import { type Draft, draftOf } from './resolve-model.ts'
import { addRelations, checkReferences } from './resolve-relations.ts'
import { checkStandard } from './standard-schema.ts'

const KINDS = ['table', 'documents', 'queue', 'graph']

/**
 * Turns declarations into models.
 *
 * @throws ConfigurationError naming every mistake at once.
 */
export function resolveModels(declarations: Declarations, relations: Relations): Map<string, Model> {
  const issues: Issue[] = []
  const models = new Map<string, Draft>()
  assertSchema('declarations', declarations)
  assertSchema('relations', relations)
  for (const [name, declaration] of Object.entries(declarations)) {
    checkDeclaredName(name, name, issues)
    if (!KINDS.includes(declaration?.kind)) {
      issues.push({
        path: name,
        reason: `must be table(…), documents(…), queue(…) or graph(…), got ${describe(declaration)}`,
      })
      continue
    }
    if (isReservedTable(name)) issues.push({ path: name, reason: KEPT_BY_DATABASES })
    if (declaration.kind === 'graph') checkGraph(name, declaration, issues)
    else if (declaration.kind === 'queue') checkQueue(name, declaration, issues)
    else models.set(name, draftOf(name, declaration, issues))
  }
  checkCollisions(
    [...models.values()].map((model) => [model.name, model.table]),
    'models',
    issues,
  )
  checkCollisions(
    Object.entries(declarations).flatMap(([name, declared]) =>
      declared?.kind === 'graph' ? [[name, databaseName(name)]] : [],
    ),
    'graphs',
    issues,
  )
  for (const model of models.values()) checkReferences(model, models, issues)
  for (const [name, declared] of Object.entries(relations)) {
    const model = models.get(name)
    if (model === undefined)
      issues.push({ path: `relations.${name}`, reason: 'belongs to no table or documents of the schema' })
    else addRelations(model, declared ?? {}, models, issues)
  }
  tellApart([...models.values()])
  if (issues.length > 0) throw wrongSchema(issues)
  return models
}

/** @throws ConfigurationError for what names nothing. */
function assertSchema(part: string, named: unknown): void {
  if (typeof named === 'object' && named !== null && !Array.isArray(named)) return
  throw wrongSchema([{ path: part, reason: `must be an object by names, got ${describe(named)}` }])
}

/** The error for a schema with these mistakes. */
function wrongSchema(issues: readonly Issue[]): ConfigurationError {
  const { message } = new ValidationError('The schema is wrong', issues)
  return new ConfigurationError(`${message}.`, { hint: 'Correct the schema.' })
}

/**
 * Resolves one model that stands alone, such as a collection nobody declared.
 *
 * @throws ConfigurationError naming every mistake.
 */
export function resolveModel(name: string, declaration: Table | Documents): Model {
  return resolveModels({ [name]: declaration }, {}).get(name) as Model
}

/** Resolves the table of a feature, which only Holdfast writes. */
export function resolveOwnModel(name: string, declaration: Table): Model {
  return { ...resolveModel(name, declaration), own: true }
}

function checkQueue(name: string, { schema, resultSchema, options }: QueueDeclaration, issues: Issue[]): void {
  checkQueueOptions(name, options, issues)
  for (const [option, one] of Object.entries({ schema, resultSchema }))
    if (one !== undefined) checkStandard(one, `${name}.${option}`, issues)
}
