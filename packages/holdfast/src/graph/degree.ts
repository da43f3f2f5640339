import type { Row } from '../backend/index.ts'
import type { Issue } from '../base/errors.ts'
import { assertOptions } from '../schema/index.ts'
import { all, type Condition, equals, Shape } from '../statement/index.ts'
import { acceptId, acceptNames, assertNone } from './accept.ts'
import type { GraphContext } from './context.ts'
import { named } from './named.ts'
import { type Way, waysOf } from './walk.ts'

/** How many edges begin or end at a node; with `both`, one that leads back to it counts twice. */
export async function degree(context: GraphContext, id: unknown, options: Row): Promise<number> {
  assertOptions(`A query of ${context.name} was refused`, options, ['relation', 'direction'])
  const issues: Issue[] = []
  acceptId(id, 'id', issues)
  const relations = acceptNames(context, 'relation', options['relation'], 'relation', issues)
  const ways = waysOf(options['direction'] ?? 'both', issues)
  assertNone(issues, `A query of ${context.name} was refused`)
  const counts = await Promise.all(ways.map((way) => countAlong(context, id as string, relations, way)))
  return counts.reduce((sum, count) => sum + count, 0)
}

async function countAlong(
  { session, models }: GraphContext,
  id: string,
  relations: readonly string[] | undefined,
  [near]: Way,
): Promise<number> {
  const shape = new Shape(`${models.edges.name} degree ${near}`)
  const conditions: Condition[] = [equals(near, shape.add(id))]
  if (relations !== undefined) conditions.push(named('relation', 0, relations, shape))
  const plan = session.plan(shape.key, () => ({
    kind: 'select',
    model: models.edges.name,
    joins: [],
    outputs: [{ kind: 'aggregate', name: 'n', function: 'count' }],
    groupBy: [],
    where: all(...conditions),
    orderBy: [],
  }))
  const { rows } = await session.execute(plan, shape.parameters)
  return (rows[0] as { n: number }).n
}
