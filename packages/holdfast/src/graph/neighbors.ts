import type { Plan, Row } from '../backend/index.ts'
import type { Issue } from '../base/errors.ts'
import type { Page } from '../repository/index.ts'
import { assertOptions, describe, isStorableText } from '../schema/index.ts'
import {
  all,
  ascending,
  type Condition,
  compare,
  compareText,
  equals,
  field,
  outputs,
  Shape,
} from '../statement/index.ts'
import { acceptId, acceptNames, assertNone } from './accept.ts'
import type { GraphContext } from './context.ts'
import { named } from './named.ts'
import { type Way, waysOf } from './walk.ts'

const OPTIONS = ['relation', 'direction', 'label', 'first', 'after']

interface Wanted {
  readonly id: string
  readonly relations: readonly string[] | undefined
  readonly labels: readonly string[] | undefined
}

/**
 * The nodes that an edge leads to, each once, by id. A page is found by keyset, so it costs the same wherever it lies; along one relation it
 * costs no more for a node with a million neighbours, as their ids stand in order in the index.
 */
export async function neighbors(context: GraphContext, id: unknown, options: Row): Promise<Page<Row>> {
  assertOptions(`A query of ${context.name} was refused`, options, OPTIONS)
  const issues: Issue[] = []
  const { relation, direction = 'out', label, first, after } = options
  acceptId(id, 'id', issues)
  const relations = acceptNames(context, 'relation', relation, 'relation', issues)
  const labels = acceptNames(context, 'label', label, 'label', issues)
  const ways = waysOf(direction, issues)
  if (first !== undefined && (!Number.isSafeInteger(first) || (first as number) < 1))
    issues.push({ path: 'first', reason: `must be a whole number from 1 on, got ${describe(first)}` })
  const start = readCursor(after, issues)
  assertNone(issues, `A query of ${context.name} was refused`)

  const wanted: Wanted = { id: id as string, relations, labels }
  const size = (first as number | undefined) ?? Number.POSITIVE_INFINITY
  const items: Row[] = []
  for (let from = start; ; ) {
    const limit = first === undefined ? undefined : size + 1 - items.length
    const found = await Promise.all(ways.map((way) => readWay(context, wanted, way, from, limit)))
    const end = endOf(found, limit)
    addEachOnce(items, inOrder(found), end)
    // Edges to the same node may have filled a page with fewer nodes than it holds.
    if (end === undefined || items.length > size) break
    from = end
  }
  const next = items.length > size ? cursorAfter(idOf(items[size - 1] as Row)) : null
  return { items: next === null ? items : items.slice(0, size), next }
}

/** The rows of all ways by id; each way's come in that order. */
function inOrder(found: readonly (readonly Row[])[]): readonly Row[] {
  return found.length === 1 ? (found[0] as readonly Row[]) : found.flat().sort(byId)
}

/** Adds rows that are ordered by id, each once, up to the one with the id `end`. */
function addEachOnce(items: Row[], rows: readonly Row[], end: string | undefined): void {
  let last = items.length === 0 ? undefined : idOf(items.at(-1) as Row)
  for (const row of rows) {
    const id = idOf(row)
    if (id === last) continue
    if (end !== undefined && compareText(id, end) > 0) return
    items.push(row)
    last = id
  }
}

/** Up to where all rows are known: none was left out before the last row of a list that was cut off; undefined for the very end. */
function endOf(found: readonly (readonly Row[])[], limit: number | undefined): string | undefined {
  if (limit === undefined) return undefined
  const cut = found.filter((rows) => rows.length === limit).map((rows) => idOf(rows.at(-1) as Row))
  return cut.sort(compareText)[0]
}

async function readWay(
  context: GraphContext,
  { id, relations, labels }: Wanted,
  way: Way,
  after: string | undefined,
  limit: number | undefined,
): Promise<Row[]> {
  const [near, far] = way
  const { session, models } = context
  const shape = new Shape(`${models.edges.name} neighbors ${near}`)
  const conditions: Condition[] = [equals(near, shape.add(id))]
  if (relations !== undefined) conditions.push(named('relation', 0, relations, shape))
  if (labels !== undefined) conditions.push(named('label', 1, labels, shape))
  if (after !== undefined) {
    shape.mark('after')
    conditions.push(compare(far, 'gt', shape.add(after)))
  }
  const most = shape.addCount('limit', limit)
  const plan: Plan = session.plan(shape.key, () => ({
    kind: 'select',
    model: models.edges.name,
    joins: [{ model: models.nodes.name, kind: 'inner', on: [[field(far), field('id', 1)]] }],
    outputs: outputs(
      models.nodes.columns.map(({ name }) => name),
      1,
    ),
    where: all(...conditions),
    orderBy: ascending(far),
    ...(most !== undefined && { limit: most }),
  }))
  return (await session.execute(plan, shape.parameters)).rows
}

function idOf(row: Row): string {
  return row['id'] as string
}

function byId(left: Row, right: Row): number {
  return compareText(idOf(left), idOf(right))
}

function cursorAfter(id: string): string {
  return Buffer.from(JSON.stringify({ id })).toString('base64url')
}

function readCursor(after: unknown, issues: Issue[]): string | undefined {
  if (after === undefined || after === null) return undefined
  const id = typeof after === 'string' ? parsedId(after) : undefined
  if (typeof id === 'string' && isStorableText(id)) return id
  issues.push({ path: 'after', reason: 'is not a cursor that neighbors() gave' })
  return undefined
}

function parsedId(cursor: string): unknown {
  try {
    return (JSON.parse(Buffer.from(cursor, 'base64url').toString()) as { readonly id?: unknown } | null)?.id
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
