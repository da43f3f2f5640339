import type { Issue } from '../../base/errors.ts'
import { checkName, type FieldFilter, type PathFilter, unreadable } from '../../schema/index.ts'
import { modelScope, readWhere, type Scope, Shape } from '../../statement/index.ts'
import { liveJobs } from './models.ts'
import { acceptTags } from './tags.ts'

/**
 * A condition on payloads, as `where` has them on records. It is met or not by what was enqueued: payloads of an earlier version are not
 * brought to this one's first.
 *
 * @example
 * ```ts
 * await storage.queue('mail').list({ data: { to: 'kim@example.org', 'order.total': { gt: 100 } } })
 * ```
 */
export type PayloadFilter<Data> = {
  readonly [Name in keyof PayloadOf<Data>]?: FieldFilter<PayloadOf<Data>[Name]>
} & {
  readonly and?: readonly PayloadFilter<Data>[]
  /** One of these must hold; an empty list matches nothing. */
  readonly or?: readonly PayloadFilter<Data>[]
  /** The exact complement. */
  readonly not?: PayloadFilter<Data>
  readonly [path: `${string}.${string}`]: PathFilter
}

/** Of queues whose payloads have no type, any field may be named. */
type PayloadOf<Data> = unknown extends Data ? Readonly<Record<string, unknown>> : Data

/** What jobs are chosen by, besides their state. All that is given must hold. */
export interface JobFilter<Data = unknown> {
  /** The live one with this key, and finished ones that had it. */
  readonly key?: string
  /** Those of this group. */
  readonly group?: string
  /** Those that have all of these tags. They are looked for as payloads are. */
  readonly tags?: readonly string[]
  /** Those with such a payload. The jobs of the queue, and of the state where one is given, are looked through for them. */
  readonly data?: PayloadFilter<Data>
}

/** The names of its options. */
export const FILTER_OPTIONS: readonly string[] = ['key', 'group', 'tags', 'data']

/** Adds to `issues` what is wrong with a filter. */
export function checkFilter(filter: JobFilter | null, issues: Issue[]): void {
  const { key, group, tags, data } = filter ?? {}
  if (key !== undefined) checkName(key, 'key', issues)
  if (group !== undefined) checkName(group, 'group', issues)
  acceptTags(tags, 'tags', issues)
  if (data === undefined) return
  const shape = new Shape('')
  try {
    readWhere(data, payloads, shape, 'data')
  } catch (error) {
    throw unreadable(error, 'A condition on payloads was refused', { data })
  }
  issues.push(...shape.issues)
}

const payloads: Scope = {
  subject: 'the payload',
  resolve: (name) => modelScope(liveJobs).resolve(`data.${name}`),
}

/** The condition on the rows of jobs that a filter is. */
export function whereOf({ key, group, tags = [], data }: JobFilter): object {
  const inJson = tags.map((tag): object => ({ 'settings.tags': { has: tag } }))
  if (data !== undefined) inJson.push(onPayload(data))
  return {
    ...(key !== undefined && { key }),
    ...(group !== undefined && { group }),
    ...(inJson.length > 0 && { and: inJson }),
  }
}

/** A condition on a payload, as one on the row. */
function onPayload(data: object): object {
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => {
      if (name === 'and' || name === 'or') return [name, (value as object[]).map(onPayload)]
      return name === 'not' ? [name, onPayload(value as object)] : [`data.${name}`, value]
    }),
  )
}
