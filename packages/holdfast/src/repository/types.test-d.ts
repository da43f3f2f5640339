// Type tests: `tsc`, which `npm test` runs first, is what checks them.
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { defineSchema, documents, type Insert, type Key, type Row, t, table } from '../schema/index.ts'
import type { Storage } from '../storage/index.ts'
import { avg, count, dateTrunc, increment, max, type OneQuery, type Query, sum } from './index.ts'

const Plan = z.object({
  name: z.string(),
  status: z.enum(['draft', 'ready']).default('draft'),
  owner: z.object({ team: z.string() }).optional(),
})

const schema = defineSchema(
  {
    users: table({
      id: t.integer().primaryKey(),
      username: t.text().nullable(),
      balance: t.bigint(),
      price: t.decimal(10, 2),
      role: t.enum(['admin', 'user']).default('user'),
      firstSeen: t.timestamp().defaultNow(),
      avatar: t.bytes(),
      meta: t.json<{ tags: string[] }>(),
    }),
    sessions: table(
      { id: t.id(), userId: t.integer().references('users'), turns: t.integer().default(0) },
      { versioned: true },
    ),
    tracks: table(
      { playlistId: t.text(), trackId: t.integer(), at: t.timestamp() },
      { primaryKey: ['playlistId', 'trackId'] },
    ),
    plans: documents({ schema: Plan }),
    notes: documents<{ text: string }>(),
  },
  ({ one, many }) => ({ sessions: { user: one('users', 'userId') }, users: { sessions: many('sessions', 'userId') } }),
)

type S = typeof schema
declare const storage: Storage<S>

test('rows, inserts and keys are inferred', () => {
  expectTypeOf<Row<S, 'users'>>().toEqualTypeOf<{
    id: number
    username: string | null
    balance: bigint
    price: string
    role: 'admin' | 'user'
    firstSeen: Date
    avatar: Uint8Array
    meta: { tags: string[] }
  }>()
  expectTypeOf<Row<S, 'sessions'>['version']>().toEqualTypeOf<number>()
  expectTypeOf<Row<S, 'plans'>>().toMatchTypeOf<{
    id: string
    name: string
    status: 'draft' | 'ready'
    version: number
    createdAt: Date
  }>()
  expectTypeOf<Insert<S, 'users'>>().toMatchTypeOf<{
    id: number
    balance: bigint
    role?: 'admin' | 'user' | undefined
  }>()
  expectTypeOf<Insert<S, 'plans'>>().toMatchTypeOf<{
    name: string
    status?: 'draft' | 'ready' | undefined
    id?: string | undefined
  }>()
  expectTypeOf<Key<S, 'users'>>().toEqualTypeOf<number>()
  expectTypeOf<Key<S, 'tracks'>>().toEqualTypeOf<{ playlistId: string; trackId: number }>()
  expectTypeOf<Key<S, 'notes'>>().toEqualTypeOf<string>()
})

test('queries give what they select and include', async () => {
  const users = storage.repository('users')
  const found = await users.find({
    where: { username: { startsWith: 'a' }, 'meta.tags': { has: 'x' }, or: [{ id: { in: [1] } }] },
    orderBy: [{ firstSeen: 'desc' }, { id: 'asc' }],
    include: { sessions: { where: { turns: { gt: 1 } }, include: { user: true } } },
  })
  expectTypeOf(found[0]!.sessions[0]!.user!.username).toEqualTypeOf<string | null>()
  const picked = await users.find({ select: ['id', 'role'] })
  expectTypeOf(picked).toEqualTypeOf<{ id: number; role: 'admin' | 'user' }[]>()
  const session = await storage
    .repository('sessions')
    .findOne({ where: { id: 'x' }, include: { user: { select: ['id'] } } })
  expectTypeOf(session!.user).toEqualTypeOf<{ id: number } | null>()
  const after: string | undefined = undefined as string | undefined
  const page = await users.page({ first: 10, after })
  expectTypeOf(page.items[0]!.id).toEqualTypeOf<number>()
})

test('a query kept in a variable is taken', async () => {
  const mine: Query<Row<S, 'users'>> = { where: { role: 'admin' }, orderBy: { id: 'asc' }, limit: 20 }
  expectTypeOf((await storage.repository('users').find(mine))[0]!.balance).toEqualTypeOf<bigint>()
  const one: OneQuery<Row<S, 'users'>, 'id'> = { where: { id: 1 }, select: ['id'] }
  expectTypeOf(await storage.repository('users').findOne(one)).toEqualTypeOf<{ id: number } | null>()
})

test('aggregates are typed by their functions and fields', async () => {
  const rows = await storage.repository('users').aggregate({
    groupBy: { day: dateTrunc('day', 'firstSeen'), role: 'role' },
    select: { n: count(), balance: sum('balance'), price: sum('price'), mean: avg('id'), last: max('firstSeen') },
    having: { n: { gt: 1 } },
    orderBy: { balance: 'desc' },
  })
  expectTypeOf(rows[0]!).toEqualTypeOf<
    { day: Date; role: 'admin' | 'user' } & {
      n: number
      balance: bigint | null
      price: string | null
      mean: number | null
      last: Date | null
    }
  >()
})

test('groups and results may be named by fields alone', async () => {
  const users = storage.repository('users')
  const one = await users.aggregate({ groupBy: 'role', select: { n: count() }, having: { role: 'admin' } })
  expectTypeOf(one[0]!).toEqualTypeOf<{ role: 'admin' | 'user' } & { n: number }>()
  const two = await users.aggregate({
    groupBy: ['role', 'meta.tags'],
    select: { n: count() },
    orderBy: { role: 'asc' },
  })
  expectTypeOf(two[0]!).toEqualTypeOf<{ role: 'admin' | 'user'; 'meta.tags': unknown } & { n: number }>()
  const joined = storage.repository('sessions').query().join('users', { userId: 'id' })
  const picked = await joined.select(['turns', 'users.balance']).all()
  expectTypeOf(picked[0]!).toEqualTypeOf<{ turns: number; 'users.balance': bigint }>()
  const grouped = await joined.groupBy('users.role').select({ n: count() }).all()
  expectTypeOf(grouped[0]!).toEqualTypeOf<{ 'users.role': 'admin' | 'user' } & { n: number }>()
  const sums = await joined.select({ price: sum('users.price'), tag: max('users.meta.tags') }).all()
  expectTypeOf(sums[0]!).toEqualTypeOf<{ price: string | null; tag: string | number | boolean | null }>()
  const open = storage.repository('sessions').query().leftJoin('users', { userId: 'id' })
  const years = await open
    .groupBy({ year: dateTrunc('year', 'users.firstSeen') })
    .select({ n: count() })
    .all()
  expectTypeOf(years[0]!).toEqualTypeOf<{ year: Date | null } & { n: number }>()
  const single = await joined.select('turns').all()
  expectTypeOf(single[0]!).toEqualTypeOf<{ turns: number }>()
  // @ts-expect-error an unknown field
  users.aggregate({ groupBy: 'nope', select: { n: count() } })
  // @ts-expect-error an unknown field in a list
  joined.select(['nope'])
})

test('joins bring the fields of the other model', async () => {
  const rows = await storage
    .repository('sessions')
    .query()
    .join('users', { userId: 'id' })
    .where({ 'users.role': 'admin', turns: { gt: 1 } })
    .groupBy({ name: 'users.username' })
    .select({ n: count() })
    .all()
  expectTypeOf(rows[0]!.name).toEqualTypeOf<string | null>()
  expectTypeOf(rows[0]!.n).toEqualTypeOf<number>()
  const joined = storage.repository('sessions').query().join('users', { userId: 'id' })
  joined.where({
    'users.firstSeen': { gte: new Date(0) },
    'users.balance': { in: [1n] },
    'users.meta.tags': { has: 'x' },
  })
  joined.where({ 'users.avatar': new Uint8Array(), 'users.firstSeen': new Date(0), or: [{ 'users.balance': 1n }] })
  // @ts-expect-error a text is no timestamp
  joined.where({ 'users.firstSeen': { gte: 'yesterday' } })
  // @ts-expect-error a path holds no timestamps
  storage.repository('users').find({ where: { 'meta.at': new Date(0) } })
  const whole = await storage.repository('users').query().where({ id: 1 }).all()
  expectTypeOf(whole[0]!.balance).toEqualTypeOf<bigint>()
})

test('mistakes do not compile', () => {
  const users = storage.repository('users')
  // @ts-expect-error an unknown field
  users.find({ where: { nope: 1 } })
  // @ts-expect-error a wrong type
  users.find({ where: { id: 'x' } })
  // @ts-expect-error an unknown relation
  users.find({ include: { orders: true } })
  // @ts-expect-error a required field is missing
  users.create({ id: 1 })
  // @ts-expect-error a value outside the enum
  users.update(1, { role: 'root' })
  // @ts-expect-error an increment of a text
  users.update(1, { username: increment(1) })
  // @ts-expect-error the key is a number
  users.findById('1')
  // @ts-expect-error an unknown field in an aggregate
  users.aggregate({ select: { n: sum('nope') } })
  users.update(1, { balance: increment(1n), price: increment('0.10'), username: null })
})

test('a collection nobody declared has the type it is given', async () => {
  const notes = storage.repository<{ text: string }>('anything')
  expectTypeOf((await notes.findById('x'))!.text).toEqualTypeOf<string>()
})
