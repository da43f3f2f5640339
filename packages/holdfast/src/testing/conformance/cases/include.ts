import assert from 'node:assert/strict'
import { defineSchema, documents, t, table } from '../../../schema/index.ts'
import { pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase, ConformanceContext } from '../case.ts'

const schema = defineSchema(
  {
    users: table({ id: t.integer().primaryKey(), name: t.text() }),
    orders: table(
      { id: t.integer().primaryKey(), userId: t.integer().nullable(), total: t.integer(), planId: t.text().nullable() },
      { indexes: ['userId'] },
    ),
    lines: table({ orderId: t.integer(), at: t.integer(), text: t.text() }, { primaryKey: ['orderId', 'at'] }),
    comments: table({ id: t.integer().primaryKey(), orderId: t.integer().nullable(), lineAt: t.integer().nullable() }),
    plans: documents<{ name: string; owner?: { userId: number } | null }>({ indexes: ['owner.userId'] }),
  },
  ({ one, many }) => ({
    users: { orders: many('orders', 'userId'), plans: many('plans', 'owner.userId') },
    orders: { user: one('users', 'userId'), lines: many('lines', 'orderId'), plan: one('plans', 'planId') },
    lines: { order: one('orders', 'orderId'), comments: many('comments', ['orderId', 'lineAt']) },
    comments: { line: one('lines', ['orderId', 'lineAt']) },
    plans: { owner: one('users', 'owner.userId') },
  }),
)

async function shop({ open }: ConformanceContext) {
  const storage = await open(schema)
  await storage.repository('users').createMany([
    { id: 1, name: 'kim' },
    { id: 2, name: 'lee' },
    { id: 3, name: 'mo' },
  ])
  await storage.repository('plans').createMany([
    { id: 'p', name: 'p', owner: { userId: 1 } },
    { id: 'q', name: 'q', owner: null },
    { id: 'r', name: 'r' },
    { id: 's', name: 's', owner: { userId: 1 } },
  ])
  await storage.repository('orders').createMany([
    { id: 1, userId: 1, total: 10, planId: 'p' },
    { id: 2, userId: 2, total: 20, planId: 'gone' },
    { id: 3, userId: 1, total: 30, planId: null },
    { id: 4, userId: 1, total: 20, planId: 'q' },
    { id: 5, userId: null, total: 50, planId: null },
    { id: 6, userId: 99, total: 60, planId: null },
  ])
  await storage.repository('lines').createMany([
    { orderId: 1, at: 1, text: 'a' },
    { orderId: 1, at: 2, text: 'b' },
    { orderId: 3, at: 1, text: 'c' },
    { orderId: 4, at: 2, text: 'd' },
  ])
  await storage.repository('comments').createMany([
    { id: 1, orderId: 1, lineAt: 1 },
    { id: 2, orderId: 1, lineAt: 2 },
    { id: 3, orderId: 3, lineAt: 1 },
    { id: 4, orderId: 3, lineAt: 2 },
    { id: 5, orderId: 1, lineAt: null },
  ])
  return storage
}

export const includeCases: readonly ConformanceCase[] = [
  {
    id: 'include/one-and-many',
    title: 'include puts the related records beside each, by their key; where there are none, an empty list or null',
    async run(context) {
      const storage = await shop(context)
      const users = await storage.repository('users').find({ include: { orders: true } })
      assert.deepEqual(
        users.map(({ id, orders }) => [id, pick(orders, 'id')]),
        [
          [1, [1, 3, 4]],
          [2, [2]],
          [3, []],
        ],
      )
      assert.deepEqual(users[0]?.orders[0], { id: 1, userId: 1, total: 10, planId: 'p' })
      const orders = await storage.repository('orders').find({ include: { user: true, lines: true } })
      assert.deepEqual(
        orders.map(({ user }) => user?.name ?? null),
        ['kim', 'lee', 'kim', 'kim', null, null],
      )
      assert.deepEqual(
        orders.map(({ lines }) => pick(lines, 'text').join('')),
        ['ab', '', 'c', 'd', '', ''],
      )
    },
  },
  {
    id: 'include/query',
    title: 'An included relation has its own condition, order, selection and limit; the limit counts for each record',
    async run(context) {
      const storage = await shop(context)
      const users = await storage.repository('users').find({
        orderBy: { name: 'desc' },
        include: { orders: { where: { total: { gte: 20 } }, orderBy: { total: 'desc' }, limit: 1, select: ['id'] } },
      })
      assert.deepEqual(
        users.map(({ name, orders }) => [name, orders]),
        [
          ['mo', []],
          ['lee', [{ id: 2 }]],
          ['kim', [{ id: 3 }]],
        ],
      )
      const none = await storage.repository('users').find({ include: { orders: { limit: 0 } } })
      assert.deepEqual(
        none.map(({ orders }) => orders),
        [[], [], []],
      )
    },
  },
  {
    id: 'include/nested',
    title: 'Relations nest, in cycles too, each level with its own query',
    async run(context) {
      const storage = await shop(context)
      const [kim] = await storage.repository('users').find({
        where: { id: 1 },
        include: {
          orders: {
            select: ['id'],
            include: { lines: { orderBy: { at: 'desc' }, include: { order: { include: { user: true } } } } },
          },
        },
      })
      assert.deepEqual(
        kim?.orders.map(({ id, lines }) => [id, lines.map(({ text, order }) => `${text} ${order?.user?.name}`)]),
        [
          [1, ['b kim', 'a kim']],
          [3, ['c kim']],
          [4, ['d kim']],
        ],
      )
      assert.deepEqual(Object.keys(kim?.orders[0] as object), ['id', 'lines'])
    },
  },
  {
    id: 'include/several-fields',
    title: 'A relation by several fields relates only where all of them are equal, and never by null',
    async run(context) {
      const storage = await shop(context)
      const lines = await storage.repository('lines').find({ include: { comments: { select: ['id'] } } })
      assert.deepEqual(
        lines.map(({ text, comments }) => [text, pick(comments, 'id')]),
        [
          ['a', [1]],
          ['b', [2]],
          ['c', [3]],
          ['d', []],
        ],
      )
      const comments = await storage.repository('comments').find({ include: { line: { select: ['text'] } } })
      assert.deepEqual(
        comments.map(({ line }) => line),
        [{ text: 'a' }, { text: 'b' }, { text: 'c' }, null, null],
      )
    },
  },
  {
    id: 'include/several-fields-limit',
    title: 'The limit of a relation by several fields counts for each record too',
    async run({ open }) {
      const storage = await open(schema)
      await storage.repository('lines').createMany([1, 2, 3].map((orderId) => ({ orderId, at: 1, text: `${orderId}` })))
      await storage
        .repository('comments')
        .createMany(Array.from({ length: 12 }, (_, id) => ({ id, orderId: (id % 3) + 1, lineAt: 1 })))
      const lines = await storage
        .repository('lines')
        .find({ include: { comments: { limit: 2, orderBy: { id: 'desc' } } } })
      assert.deepEqual(
        lines.map(({ comments }) => pick(comments, 'id')),
        [
          [9, 6],
          [10, 7],
          [11, 8],
        ],
      )
    },
  },
  {
    id: 'include/documents',
    title: 'A relation may go by a path into a document, from either side',
    async run(context) {
      const storage = await shop(context)
      const plans = await storage.repository('plans').find({ include: { owner: true } })
      assert.deepEqual(
        plans.map(({ id, owner }) => [id, (owner as { name?: string } | null)?.name ?? null]),
        [
          ['p', 'kim'],
          ['q', null],
          ['r', null],
          ['s', 'kim'],
        ],
      )
      const users = await storage
        .repository('users')
        .find({ include: { plans: { select: ['name'], limit: 1, orderBy: { name: 'desc' } } } })
      assert.deepEqual(
        users.map(({ plans: related }) => related),
        [[{ name: 's' }], [], []],
      )
      const orders = await storage
        .repository('orders')
        .find({ where: { id: { lte: 4 } }, include: { plan: { select: ['name'] } } })
      assert.deepEqual(
        orders.map(({ plan }) => plan),
        [{ name: 'p' }, null, null, { name: 'q' }],
      )
    },
  },
  {
    id: 'include/named-alike',
    title:
      'A relation may have the name of the field of documents that it goes by: what else goes by it is found all the same',
    async run({ open }) {
      const storage = await open(
        defineSchema(
          {
            users: table({ id: t.integer().primaryKey(), name: t.text() }),
            teams: table({ id: t.text().primaryKey() }),
            plans: documents<{ owner: unknown }>(),
          },
          ({ one, many }) => ({
            users: { plans: many('plans', 'owner.userId') },
            plans: { owner: one('users', 'owner.userId'), team: one('teams', 'owner.team') },
          }),
        ),
      )
      await storage.repository('users').create({ id: 1, name: 'kim' })
      await storage.repository('teams').create({ id: 'red' })
      await storage.repository('plans').create({ id: 'p', owner: { userId: 1, team: 'red' } })
      await storage.repository('plans').create({ id: 'q', owner: null, ...{ 'owner.userId': 1 } })
      const [kim] = await storage.repository('users').find({ include: { plans: { include: { owner: true } } } })
      assert.deepEqual(
        kim?.plans.map(({ id, owner }) => [id, owner]),
        [['p', { id: 1, name: 'kim' }]],
      )
      for (const include of [
        { owner: true, team: true },
        { team: true, owner: true },
      ] as const) {
        const plans = await storage.repository('plans').find({ include })
        assert.deepEqual(
          plans.map(({ id, owner, team }) => [id, owner, team]),
          [
            ['p', { id: 1, name: 'kim' }, { id: 'red' }],
            ['q', null, null],
          ],
        )
      }
    },
  },
  {
    id: 'include/other-values',
    title: 'What stands at a path and can be no key is related to nothing, and keeps no other record from its own',
    async run(context) {
      const storage = await shop(context)
      const values = ['1', 1.5, true, { userId: 1 }, [1]]
      const others = values.map((userId, at) => ({ id: `t${at}`, name: 't', owner: { userId: userId as number } }))
      await storage.repository('plans').createMany(others)
      const plans = await storage.repository('plans').find({ include: { owner: true } })
      const owners = plans.map(({ id, owner }) => [id, (owner as { name?: string } | null)?.name ?? null])
      const nobody = others.map(({ id }) => [id, null])
      assert.deepEqual(owners, [['p', 'kim'], ['q', null], ['r', null], ['s', 'kim'], ...nobody])
      const kim = await storage.repository('users').findOne({ where: { id: 1 }, include: { plans: true } })
      assert.deepEqual(
        kim?.plans.map(({ id }) => id),
        ['p', 's'],
      )
    },
  },
  {
    id: 'include/select',
    title: 'The keys that relations need are read but not given where they were not selected',
    async run(context) {
      const storage = await shop(context)
      const orders = await storage.repository('orders').find({
        where: { id: 1 },
        select: ['total'],
        include: { user: { select: ['name'] }, lines: { select: ['text'] } },
      })
      assert.deepEqual(orders, [{ total: 10, user: { name: 'kim' }, lines: [{ text: 'a' }, { text: 'b' }] }])
    },
  },
  {
    id: 'include/everywhere',
    title: 'findOne and page load relations as find does, inside a transaction too',
    async run(context) {
      const storage = await shop(context)
      await storage.transaction(async (tx) => {
        await tx.repository('lines').create({ orderId: 2, at: 9, text: 'new' })
        const order = await tx.repository('orders').findOne({ where: { id: 2 }, include: { lines: true, user: true } })
        assert.deepEqual([order?.lines.length, order?.user?.name], [1, 'lee'])
        const page = await tx.repository('users').page({ first: 2, include: { orders: { include: { lines: true } } } })
        assert.deepEqual(
          page.items.map(({ orders }) => orders.flatMap(({ lines }) => pick(lines, 'text')).join('')),
          ['abcd', 'new'],
        )
      })
    },
  },
  {
    id: 'include/statements',
    title: 'A relation costs one statement a level, however many records there are',
    async run({ open }) {
      const storage = await open(schema)
      await storage.repository('users').createMany(Array.from({ length: 2_000 }, (_, id) => ({ id, name: `${id}` })))
      await storage
        .repository('orders')
        .createMany(Array.from({ length: 4_000 }, (_, id) => ({ id, userId: id % 2_000, total: id })))
      const before = storage.metrics().statements
      const users = await storage
        .repository('users')
        .find({ include: { orders: { limit: 1, include: { lines: true } }, plans: true } })
      assert.equal(storage.metrics().statements - before, 4)
      assert.ok(users.every(({ id, orders }) => orders.length === 1 && orders[0]?.id === id))
    },
  },
  {
    id: 'include/records-apart',
    title: 'Records that share a related record each get one of their own: changing one changes no other',
    async run(context) {
      const storage = await shop(context)
      const orders = await storage.repository('orders').find({ where: { userId: 1 }, include: { user: true } })
      ;(orders[0]?.user as { name: string }).name = 'changed'
      assert.equal(orders[1]?.user?.name, 'kim')
      const lines = await storage
        .repository('lines')
        .find({ where: { orderId: 1 }, include: { order: { include: { user: true, plan: true } } } })
      const [first, second] = lines.map(({ order }) => order)
      ;(first?.user as { name: string }).name = 'changed'
      ;(first?.plan?.owner as { userId: number }).userId = 9
      assert.deepEqual([second?.user?.name, second?.plan?.owner], ['kim', { userId: 1 }])
    },
  },
  {
    id: 'include/refused',
    title: 'An include that is not a relation, or not a query of one, is refused and names the place',
    async run(context) {
      const users = (await shop(context)).repository('users')
      const bad: readonly (readonly [unknown, string])[] = [
        [{ nope: true }, 'include.nope'],
        [{ orders: 5 }, 'include.orders'],
        [{ orders: { offset: 1 } }, 'include.orders.offset'],
        [{ orders: { limit: -1 } }, 'include.orders.limit'],
        [{ orders: { limit: '1' } }, 'include.orders.limit'],
        [{ orders: { where: { nope: 1 } } }, 'where.nope'],
        [{ orders: { orderBy: { nope: 'asc' } } }, 'orderBy.nope'],
        [{ orders: { include: { nope: true } } }, 'include.nope'],
        ['orders', 'include'],
        [['orders'], 'include'],
      ]
      for (const [include, path] of bad)
        await refused(() => users.find({ include: wrong(include) }), { code: 'VALIDATION', paths: [path] })
      const [kim] = await users.find({ where: { id: 1 }, include: wrong({ orders: false, plans: undefined }) })
      assert.deepEqual(kim, { id: 1, name: 'kim' })
    },
  },
]
