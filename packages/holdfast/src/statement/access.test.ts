import { describe, expect, it } from 'vitest'
import { defineSchema, documents, t, table } from '../schema/index.ts'
import { accessOf, describeAccess } from './access.ts'
import { EVERYTHING } from './condition.ts'
import { readOrderBy } from './order.ts'
import { joinedScope } from './scope.ts'
import { Shape } from './shape.ts'
import type { Join, Select } from './statement.ts'
import { readWhere } from './where.ts'

const schema = defineSchema({
  jobs: table(
    {
      id: t.text().primaryKey(),
      key: t.text().nullable().unique(),
      queue: t.text(),
      state: t.text(),
      priority: t.integer(),
      runAt: t.timestamp(),
    },
    { indexes: [['queue', 'state', 'priority', 'runAt'], 'runAt'] },
  ),
  visits: table(
    { id: t.text().primaryKey(), page: t.text(), left: t.integer().nullable() },
    { indexes: [['page', 'left']], sparse: ['left'] },
  ),
  members: table({ team: t.text(), user: t.text() }, { primaryKey: ['team', 'user'] }),
  plans: documents({ indexes: ['status', ['owner.team', 'status']] }),
})

const NOW = new Date()
const byPriority = [{ priority: 'asc' }, { runAt: 'asc' }, { id: 'asc' }]

function select(model: string, where?: object, orderBy?: object[], limit?: number): Select {
  const shape = new Shape('test')
  const scope = joinedScope(schema.models.get(model)!, [])
  const condition = where === undefined ? undefined : readWhere(where, scope, shape)
  const order = readOrderBy(orderBy, scope, shape, [])
  shape.assertValid('the test')
  return {
    kind: 'select',
    model,
    joins: [],
    outputs: [],
    orderBy: order,
    ...(condition && { where: condition }),
    ...(limit && { limit: shape.add(limit) }),
  }
}

function access(...asked: Parameters<typeof select>): string {
  return describeAccess(accessOf(select(...asked), schema.models))
}

const QUEUE_INDEX = 'index jobs_queue_state_priority_run_at_index'

describe('a sparse index', () => {
  it('is used where a value is asked for, and only there', () => {
    const index = 'index visits_page_left_index'
    expect(access('visits', { page: 'a', left: 5 })).toBe(`${index} (2 equal)`)
    expect(access('visits', { page: 'a', left: { gt: 5 } })).toBe(`${index} (1 equal, range)`)
    expect(access('visits', { page: 'a', left: { ne: null } })).toBe(`${index} (1 equal)`)
    expect(access('visits', { page: 'a' })).toBe('scan')
    expect(access('visits', { page: 'a', left: null })).toBe('scan')
  })
})

describe('the access of a statement', () => {
  it('is the primary key where all of it is given, or a list of it', () => {
    expect(access('jobs', { id: 'a' })).toBe('key')
    expect(access('jobs', { id: 'a', queue: 'q' }, byPriority)).toBe('key')
    expect(access('jobs', { id: { in: ['a', 'b'] } })).toBe('key (list)')
    expect(access('members', { user: 'u', team: 't' })).toBe('key')
    expect(access('members', { team: 't' })).toBe('index (1 equal)')
    expect(access('members', { user: 'u' })).toBe('scan')
  })

  it('is a unique index where all of it is given, and not null', () => {
    expect(access('jobs', { key: 'a' })).toBe('unique jobs_key_unique')
    expect(access('jobs', { key: null })).toBe('index jobs_key_unique (1 equal)')
  })

  it('is the index that most conditions fit, with a range behind them', () => {
    expect(access('jobs', { queue: 'q' })).toBe(`${QUEUE_INDEX} (1 equal)`)
    expect(access('jobs', { queue: 'q', state: 's', priority: { gt: 1, lte: 5 } })).toBe(
      `${QUEUE_INDEX} (2 equal, range)`,
    )
    expect(access('jobs', { queue: 'q', state: { in: ['a', 'b'] }, priority: 1 })).toBe(
      `${QUEUE_INDEX} (3 equal, list)`,
    )
    expect(access('jobs', { runAt: { lt: NOW } })).toBe('index jobs_run_at_index (range)')
    expect(access('jobs', { and: [{ queue: 'q' }, { and: [{ state: 's' }] }] })).toBe(`${QUEUE_INDEX} (2 equal)`)
  })

  it('leaves what the index does not ensure to be checked', () => {
    const { rest } = accessOf(select('jobs', { queue: 'q', runAt: { lt: NOW }, key: { ne: 'x' } }), schema.models)
    expect(rest.map(({ kind }) => kind)).toEqual(['compare', 'not'])
  })

  it('is a scan where nothing is sure', () => {
    expect(access('jobs')).toBe('scan')
    expect(access('jobs', { or: [{ id: 'a' }, { id: 'b' }] })).toBe('scan')
    expect(access('jobs', { not: { id: 'a' } })).toBe('scan')
    expect(access('jobs', { queue: { contains: 'q' } })).toBe('scan')
    expect(describeAccess(accessOf({ ...select('jobs'), where: EVERYTHING }, schema.models))).toBe('scan')
  })

  it('says whether rows come in the wanted order', () => {
    const waiting = { queue: 'q', state: 's' }
    expect(access('jobs', { ...waiting, runAt: { lte: NOW } }, byPriority, 10)).toBe(
      `${QUEUE_INDEX} (2 equal, ordered)`,
    )
    expect(access('jobs', waiting, [{ priority: 'desc' }, { runAt: 'asc' }], 10)).toBe(
      `${QUEUE_INDEX} (2 equal, ordered)`,
    )
    expect(access('jobs', waiting, [{ state: 'desc' }, { priority: 'asc' }], 10)).toBe(
      `${QUEUE_INDEX} (2 equal, ordered)`,
    )
    expect(access('jobs', waiting, [{ runAt: 'asc' }], 10)).toBe(`${QUEUE_INDEX} (2 equal, sorted)`)
    expect(access('jobs', { state: 's' }, [{ runAt: 'desc' }, { id: 'asc' }], 10)).toBe(
      'scan jobs_run_at_index (ordered)',
    )
    expect(access('jobs', undefined, [{ id: 'desc' }], 10)).toBe('scan (ordered)')
    expect(access('jobs', { id: { in: ['a'] } }, [{ id: 'desc' }])).toBe('key (list)')
    expect(access('jobs', { queue: { in: ['a', 'b'] } }, [{ priority: 'asc' }], 10)).toBe(
      `${QUEUE_INDEX} (1 equal, list, sorted)`,
    )
  })

  it('begins a page in the index where its order is the index’s own', () => {
    const page = (orderBy: object[], where?: object) => {
      const base = select('jobs', where, orderBy, 10)
      const keys = base.orderBy.map(({ field, direction }, parameter) => ({ field, direction, parameter }))
      const after = { kind: 'after' as const, keys }
      return accessOf(
        { ...base, where: base.where ? { kind: 'and', conditions: [base.where, after] } : after },
        schema.models,
      )
    }
    const same = page([{ runAt: 'desc' }, { id: 'desc' }])
    expect(describeAccess(same)).toBe('index jobs_run_at_index (range, ordered)')
    expect(same.rest).toEqual([])
    const mixed = page([{ runAt: 'desc' }, { id: 'asc' }])
    expect(describeAccess(mixed)).toBe('index jobs_run_at_index (range, ordered)')
    expect(mixed.rest).toHaveLength(1)
    expect(page([{ state: 'asc' }, { id: 'asc' }], { state: 'x' }).after).toBeNull()
  })

  it('uses indexes of JSON paths', () => {
    expect(access('plans', { status: 'x' })).toBe('index plans_status_index (1 equal)')
    expect(access('plans', { 'owner.team': 'a', status: { gt: 'x' } })).toBe(
      'index plans_owner_team_status_index (1 equal, range)',
    )
    expect(access('plans', { 'owner.name': 'a' })).toBe('scan')
  })

  it('says how each join finds its rows', () => {
    const join = (model: string, field: string): Join => ({
      model,
      kind: 'inner',
      on: [
        [
          { source: 0, column: 'id', path: [] },
          { source: 1, column: field, path: [] },
        ],
      ],
    })
    const of = (one: Join) => accessOf({ ...select('plans'), joins: [one] }, schema.models).joins[0]
    expect(of(join('jobs', 'id'))).toMatchObject({ kind: 'key', index: null })
    expect(of(join('jobs', 'key'))).toMatchObject({ kind: 'unique', index: 'jobs_key_unique' })
    expect(of(join('jobs', 'runAt'))).toMatchObject({ kind: 'index', index: 'jobs_run_at_index' })
    expect(of(join('jobs', 'state'))).toMatchObject({ kind: 'scan', rest: [expect.anything()] })
  })

  it('keeps the order of the first model through joins, and knows that it has none of their fields', () => {
    const id = (source: number) => ({ source, column: 'id', path: [] })
    const joins: Join[] = [{ model: 'jobs', kind: 'inner', on: [[id(0), id(1)]] }]
    const orderOf = (source: number) =>
      accessOf({ ...select('plans'), joins, orderBy: [{ field: id(source), direction: 'desc' }] }, schema.models).order
    expect(orderOf(0)).toEqual(['desc'])
    expect(orderOf(1)).toBeNull()
  })
})
