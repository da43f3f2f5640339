import type { Row, Session } from '../backend/index.ts'
import { type Issue, ValidationError } from '../base/errors.ts'
import { newId } from '../base/ids.ts'
import {
  acceptJson,
  describe,
  isStorableText,
  type Queue as QueueDeclaration,
  UNSTORABLE_TEXT,
  validateStandard,
} from '../schema/index.ts'
import { clockOffsetMs } from './clock.ts'
import { all, equals, oneOf } from './conditions.ts'
import { type Job, jobOf } from './job.ts'
import { liveJobs } from './models.ts'

/** When and how a job runs. */
export interface EnqueueOptions {
  /** Not before this time. */
  readonly runAt?: Date
  /** Not before so many milliseconds from now, by the database's clock. */
  readonly delayMs?: number
  /** Higher runs first; 0 unless given. */
  readonly priority?: number
  /** While a live job of the queue has this key, that one is given back and nothing is added. */
  readonly key?: string
  /** How often it is tried; the queue's own unless given. */
  readonly maxAttempts?: number
}

const OPTIONS = ['runAt', 'delayMs', 'priority', 'key', 'maxAttempts']
const DEFAULT_MAX_ATTEMPTS = 5

/** A job to be added. */
export interface Entry {
  readonly data: unknown
  readonly options: object
  /** Where it is among the arguments, for what is refused. */
  readonly path: string
  /** Its `runAt` is known to have come, so it need not wait to be found due. */
  readonly due?: boolean
}

/** A job that was checked: the values of `insertColumns`. */
type Values = unknown[]

const insertColumns = [
  { column: 'id', value: 'given' },
  { column: 'queue', value: 'given' },
  { column: 'state', value: 'given' },
  { column: 'precedence', value: 'given' },
  { column: 'attempt', value: 'given' },
  { column: 'maxAttempts', value: 'given' },
  { column: 'key', value: 'given' },
  { column: 'token', value: 'given' },
  { column: 'data', value: 'given' },
  { column: 'progress', value: 'given' },
  { column: 'errors', value: 'given' },
  { column: 'createdAt', value: 'now' },
] as const

/** Adds jobs in one statement, all or none; for one whose key is taken, the job that has it is given. */
export async function enqueueAll(
  session: Session,
  name: string,
  declaration: QueueDeclaration | undefined,
  entries: readonly Entry[],
): Promise<Job[]> {
  const issues: Issue[] = []
  const offset = clockOffsetMs(session)
  const byTime = new Map<'at' | 'after', Values[]>()
  const order: { readonly id: string; readonly key: string | null }[] = []
  for (const entry of entries) {
    const { values, time } = acceptJob(name, declaration, entry, issues, offset)
    order.push({ id: values[0] as string, key: values[6] as string | null })
    const group = byTime.get(time) ?? []
    group.push(values)
    byTime.set(time, group)
  }
  if (issues.length > 0) throw new ValidationError(`A job of ${name} was refused`, issues)
  if (entries.length === 0) return []
  const inserted = await insertGroups(session, [...byTime])
  const byId = new Map(inserted.map((row) => [row['id'] as string, row]))
  const taken = order.filter(({ id }) => !byId.has(id)).map(({ key }) => key as string)
  const byKey = new Map((await findByKeys(session, name, taken)).map((row) => [row['key'] as string, row]))
  session.notify(topicOf(name))
  return order.map(({ id, key }) => jobOf((byId.get(id) ?? byKey.get(key as string)) as Row))
}

/** The topic that wakes the workers of a queue. */
export function topicOf(name: string): string {
  return `holdfast jobs ${name}`
}

/** Times that are given and times counted from now are different columns of one statement, so they are two statements. */
async function insertGroups(
  session: Session,
  groups: readonly (readonly ['at' | 'after', readonly Values[]])[],
): Promise<Row[]> {
  const [first] = groups
  if (groups.length === 1 && first !== undefined) return insert(session, first[0], first[1])
  return session.transaction(async (inner) => {
    const rows: Row[] = []
    for (const [time, group] of groups) rows.push(...(await insert(inner, time, group)))
    return rows
  })
}

async function insert(session: Session, time: 'at' | 'after', group: readonly Values[]): Promise<Row[]> {
  const value = time === 'at' ? 'given' : 'now'
  const keyed = group.some((values) => values[6] !== null)
  const plan = session.plan(`queue insert ${time} ${keyed}`, () => ({
    kind: 'insert',
    model: liveJobs.name,
    columns: [...insertColumns, { column: 'runAt', value }, { column: 'dueAt', value }],
    leading: 0,
    ...(keyed && { onConflict: { columns: ['queue', 'key'], set: [] } }),
    returning: liveJobs.columns.map(({ name }) => name),
  }))
  return (await session.execute(plan, group.flat())).rows
}

async function findByKeys(session: Session, name: string, keys: readonly string[]): Promise<Row[]> {
  if (keys.length === 0) return []
  const plan = session.plan('queue find by keys', () => ({
    kind: 'select',
    model: liveJobs.name,
    joins: [],
    outputs: liveJobs.columns.map((column) => ({
      kind: 'field' as const,
      name: column.name,
      field: { source: 0, column: column.name, path: [] },
    })),
    where: all(equals('queue', 0), oneOf('key', 1)),
    orderBy: [],
  }))
  return (await session.execute(plan, [name, keys])).rows
}

/** Checks a job; gives the values of its row, in the order of `insertColumns`. */
export function acceptJob(
  name: string,
  declaration: QueueDeclaration | undefined,
  { data, options, path, due = false }: Entry,
  issues: Issue[],
  offset: number,
): { readonly values: Values; readonly time: 'at' | 'after' } {
  const prefix = path === '' ? '' : `${path}.`
  for (const option of Object.keys(options)) {
    if (!OPTIONS.includes(option))
      issues.push({ path: prefix + option, reason: `is no option; there are ${OPTIONS.join(', ')}` })
  }
  const { runAt, delayMs, priority = 0, key, maxAttempts } = options as EnqueueOptions
  if (runAt !== undefined && !(runAt instanceof Date && Number.isFinite(runAt.getTime()))) {
    issues.push({ path: `${prefix}runAt`, reason: `must be a valid Date, got ${describe(runAt)}` })
  }
  if (runAt !== undefined && delayMs !== undefined)
    issues.push({ path: `${prefix}delayMs`, reason: 'cannot be given beside runAt' })
  if (delayMs !== undefined) atLeast(0, delayMs, `${prefix}delayMs`, issues)
  if (!Number.isSafeInteger(priority))
    issues.push({ path: `${prefix}priority`, reason: `must be a safe integer, got ${describe(priority)}` })
  const attempts = maxAttempts ?? declaration?.options.maxAttempts ?? DEFAULT_MAX_ATTEMPTS
  atLeast(1, attempts, `${prefix}maxAttempts`, issues)
  if (key !== undefined && (typeof key !== 'string' || key === '' || !isStorableText(key))) {
    issues.push({
      path: `${prefix}key`,
      reason: typeof key === 'string' && key !== '' ? UNSTORABLE_TEXT : 'must be text that is not empty',
    })
  }
  const payload = acceptPayload(declaration, data, `${prefix}data`, issues)
  const later = !due && ((delayMs ?? 0) > 0 || runAt !== undefined)
  const values: Values = [
    newId(),
    name,
    later ? 'scheduled' : 'waiting',
    0 - priority,
    0,
    attempts,
    key ?? null,
    null,
    payload,
    null,
    [],
    offset,
  ]
  if (runAt !== undefined) return { values: [...values, runAt, runAt], time: 'at' }
  const plusMs = offset + (delayMs ?? 0)
  return { values: [...values, plusMs, plusMs], time: 'after' }
}

function acceptPayload(
  declaration: QueueDeclaration | undefined,
  data: unknown,
  path: string,
  issues: Issue[],
): unknown {
  const before = issues.length
  const output = declaration?.schema === undefined ? data : validateStandard(declaration.schema, data, path, issues)
  if (issues.length > before || output === undefined) return null
  return acceptJson(output, path, issues)
}

function atLeast(least: number, value: number, path: string, issues: Issue[]): void {
  if (Number.isSafeInteger(value) && value >= least) return
  issues.push({ path, reason: `must be a whole number from ${least} on, got ${describe(value)}` })
}
