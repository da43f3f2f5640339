import assert from 'node:assert/strict'
import { count, sum } from '../../../repository/index.ts'
import { defineSchema, documents, t, table } from '../../../schema/index.ts'
import { collect, refused, wrong } from '../assertions.ts'
import type { ConformanceCase, ConformanceContext } from '../case.ts'

const schema = defineSchema({
  users: table({ id: t.integer().primaryKey(), name: t.text(), teamId: t.integer().nullable() }),
  teams: table({ id: t.integer().primaryKey(), name: t.text(), open: t.boolean(), since: t.timestamp() }),
  orders: table(
    { id: t.integer().primaryKey(), userId: t.integer().nullable(), total: t.decimal(8, 2), meta: t.json<object>() },
    { indexes: ['userId'] },
  ),
  plans: documents<{ title: string; team: { name: string } }>(),
})
const since = new Date(1e12)

async function shop({ open }: ConformanceContext) {
  const storage = await open(schema)
  await storage.repository('teams').createMany([
    { id: 1, name: 'red', open: true, since },
    { id: 2, name: 'blue', open: false, since },
  ])
  await storage.repository('users').createMany([
    { id: 1, name: 'kim', teamId: 2 },
    { id: 2, name: 'lee', teamId: 1 },
    { id: 3, name: 'mo', teamId: null },
  ])
  await storage.repository('orders').createMany([
    { id: 1, userId: 2, total: '10', meta: { user: 'kim' } },
    { id: 2, userId: 1, total: '0.50', meta: { user: 'lee' } },
    { id: 3, userId: 2, total: '20', meta: {} },
    { id: 4, userId: null, total: '5', meta: { user: null } },
    { id: 5, userId: 9, total: '7', meta: { user: 5 } },
  ])
  await storage.repository('plans').createMany([
    { id: 'p', title: 'p', team: { name: 'red' } },
    { id: 'q', title: 'q', team: { name: 'gone' } },
  ])
  return storage
}

export const joinCases: readonly ConformanceCase[] = [
  {
    id: 'joins/fields',
    title: 'A query selects and groups by a field, by a list of fields or by names for them',
    async run(context) {
      const orders = (await shop(context)).repository('orders')
      const query = orders.query().join('users', { userId: 'id' }).orderBy({ id: 'asc' })
      assert.deepEqual(await query.select('total').limit(2).all(), [{ total: '10.00' }, { total: '0.50' }])
      assert.deepEqual(await query.select(['id', 'users.name']).all(), [
        { id: 1, 'users.name': 'lee' },
        { id: 2, 'users.name': 'kim' },
        { id: 3, 'users.name': 'lee' },
      ])
      const grouped = orders.query().join('users', { userId: 'id' }).select({ n: count() })
      const byName = [
        { 'users.name': 'kim', n: 1 },
        { 'users.name': 'lee', n: 2 },
      ]
      assert.deepEqual(await grouped.groupBy('users.name').all(), byName)
      assert.deepEqual(await grouped.groupBy(['users.name']).all(), byName)
    },
  },
  {
    id: 'joins/inner',
    title:
      'join puts equal records beside each other; null and what has no partner drop out; fields of any type come along',
    async run(context) {
      const orders = (await shop(context)).repository('orders')
      const query = orders.query().join('users', { userId: 'id' }).join('teams', { 'users.teamId': 'id' })
      const rows = await query
        .select({
          id: 'id',
          total: 'total',
          name: 'users.name',
          team: 'teams.name',
          open: 'teams.open',
          since: 'teams.since',
        })
        .all()
      assert.deepEqual(rows, [
        { id: 1, total: '10.00', name: 'lee', team: 'red', open: true, since },
        { id: 2, total: '0.50', name: 'kim', team: 'blue', open: false, since },
        { id: 3, total: '20.00', name: 'lee', team: 'red', open: true, since },
      ])
      assert.deepEqual(
        await query
          .where({ 'teams.open': true, total: { gt: '10' } })
          .select({ id: 'id' })
          .all(),
        [{ id: 3 }],
      )
    },
  },
  {
    id: 'joins/left',
    title: 'leftJoin keeps records without a partner, whose fields are null and found by null',
    async run(context) {
      const orders = (await shop(context)).repository('orders')
      const query = orders.query().leftJoin('users', { userId: 'id' }).leftJoin('teams', { 'users.teamId': 'id' })
      assert.deepEqual(
        await query
          .select({ id: 'id', name: 'users.name', since: 'teams.since', open: 'teams.open' })
          .orderBy({ id: 'desc' })
          .limit(3)
          .all(),
        [
          { id: 5, name: null, since: null, open: null },
          { id: 4, name: null, since: null, open: null },
          { id: 3, name: 'lee', since, open: true },
        ],
      )
      assert.deepEqual(await query.where({ 'users.id': null }).select({ id: 'id' }).all(), [{ id: 4 }, { id: 5 }])
      assert.deepEqual(
        await query
          .where({ not: { 'teams.open': true } })
          .select({ id: 'id' })
          .all(),
        [{ id: 2 }, { id: 4 }, { id: 5 }],
      )
    },
  },
  {
    id: 'joins/order',
    title: 'Joined rows are ordered by any field of either model, ties by all of their keys',
    async run(context) {
      const storage = await shop(context)
      const query = storage
        .repository('teams')
        .query()
        .leftJoin('users', { id: 'teamId' })
        .leftJoin('orders', { 'users.id': 'userId' })
      const selected = query.select({ team: 'name', order: 'orders.id' })
      assert.deepEqual(await selected.all(), [
        { team: 'red', order: 1 },
        { team: 'red', order: 3 },
        { team: 'blue', order: 2 },
      ])
      assert.deepEqual(await selected.orderBy([{ team: 'asc' }, { 'orders.total': 'desc' }]).all(), [
        { team: 'blue', order: 2 },
        { team: 'red', order: 3 },
        { team: 'red', order: 1 },
      ])
      assert.deepEqual(await selected.orderBy({ order: 'desc' }).limit(1).offset(1).all(), [{ team: 'blue', order: 2 }])
    },
  },
  {
    id: 'joins/groups',
    title: 'Joined rows are grouped and added up by fields of either model',
    async run(context) {
      const orders = (await shop(context)).repository('orders')
      const query = orders
        .query()
        .leftJoin('users', { userId: 'id' })
        .groupBy({ name: 'users.name' })
        .select({ n: count(), total: sum('total'), users: count('users.id') })
      assert.deepEqual(await query.all(), [
        { name: null, n: 2, total: '12.00', users: 0 },
        { name: 'kim', n: 1, total: '0.50', users: 1 },
        { name: 'lee', n: 2, total: '30.00', users: 2 },
      ])
      assert.deepEqual(
        await query
          .having({ total: { gt: '1' } })
          .orderBy({ total: 'desc' })
          .first(),
        { name: 'lee', n: 2, total: '30.00', users: 2 },
      )
    },
  },
  {
    id: 'joins/paths',
    title: 'Records are joined by paths into JSON and documents; only a text is equal to a text',
    async run(context) {
      const storage = await shop(context)
      const byMeta = storage
        .repository('orders')
        .query()
        .join('users', { 'meta.user': 'name' })
        .select({ id: 'id', name: 'users.name' })
      assert.deepEqual(await byMeta.all(), [
        { id: 1, name: 'kim' },
        { id: 2, name: 'lee' },
      ])
      const plans = storage
        .repository('plans')
        .query()
        .leftJoin('teams', { 'team.name': 'name' })
        .select({ id: 'id', title: 'title' as never, team: 'teams.id' })
      assert.deepEqual(await plans.all(), [
        { id: 'p', title: 'p', team: 1 },
        { id: 'q', title: 'q', team: null },
      ])
    },
  },
  {
    id: 'joins/plain',
    title: 'A query without joins and selection gives the records; each step leaves the query before it as it was',
    async run(context) {
      const users = (await shop(context)).repository('users')
      const query = users.query().where({ id: { gte: 2 } })
      const narrower = query.where({ name: 'mo' })
      assert.deepEqual(await query.all(), await users.find({ where: { id: { gte: 2 } } }))
      assert.deepEqual(await narrower.all(), [{ id: 3, name: 'mo', teamId: null }])
      assert.deepEqual(
        await collect(query.orderBy({ name: 'desc' }).stream()),
        await users.find({ where: { id: { gte: 2 } }, orderBy: { name: 'desc' } }),
      )
      assert.equal(await users.query().where({ id: 99 }).first(), null)
    },
  },
  {
    id: 'joins/transaction',
    title: 'A query in a transaction sees its writes in every model',
    async run(context) {
      const storage = await shop(context)
      await storage.transaction(async (tx) => {
        await tx.repository('users').create({ id: 9, name: 'new', teamId: 1 })
        const rows = await tx
          .repository('orders')
          .query()
          .join('users', { userId: 'id' })
          .where({ 'users.name': 'new' })
          .select({ id: 'id' })
          .all()
        assert.deepEqual(rows, [{ id: 5 }])
      })
    },
  },
  {
    id: 'joins/refused',
    title: 'A join with an unknown model or field, of a model twice, or by nothing is refused',
    async run(context) {
      const orders = (await shop(context)).repository('orders')
      const query = orders.query()
      await refused(() => query.join(wrong('nope'), {}), { code: 'VALIDATION', paths: ['join.nope'] })
      await refused(() => query.join('orders', {}), { code: 'VALIDATION', paths: ['join.orders'] })
      await refused(() => query.join('users', { userId: 'id' }).join('users', { userId: 'id' }), {
        code: 'VALIDATION',
        paths: ['join.users'],
      })
      await refused(() => query.join('users', {}).all(), { code: 'VALIDATION', paths: ['join.users'] })
      await refused(() => query.join('users', wrong({ nope: 'id' })).all(), {
        code: 'VALIDATION',
        paths: ['join.users.nope'],
      })
      await refused(() => query.join('users', wrong({ userId: 'nope' })).all(), {
        code: 'VALIDATION',
        paths: ['join.users.userId'],
      })
      const joined = query.join('users', { userId: 'id' })
      await refused(() => joined.where(wrong({ 'users.nope': 1 })).all(), {
        code: 'VALIDATION',
        paths: ['where.users.nope'],
      })
      await refused(() => joined.where(wrong({ 'users.id': '1' })).all(), {
        code: 'VALIDATION',
        paths: ['where.users.id'],
      })
      await refused(() => joined.select(wrong({ x: 'teams.id' })).all(), { code: 'VALIDATION', paths: ['select.x'] })
    },
  },
  {
    id: 'joins/other-types',
    title: 'A join of fields whose types differ is refused, whatever the database would make of it',
    async run(context) {
      const orders = (await shop(context)).repository('orders')
      await refused(() => orders.query().join('users', { userId: 'name' }).select({ id: 'id' }).all(), {
        code: 'VALIDATION',
        paths: ['join.users.userId'],
      })
    },
  },
]
