import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Any, type ComparedDatabase, comparedDatabases } from '../../../../test/agreement/comparing.ts'
import { anyRubbish } from '../../../../test/hostile/rubbish.ts'
import { count, defineSchema, documents, isHoldfastError, openStorage, queue, sum, t, table } from '../index.ts'

/** The same rubbish each time; other seeds and more runs look for what these do not find. */
const SEED = Number(process.env['RUBBISH_SEED'] ?? 1)
const RUNS = Number(process.env['RUBBISH_RUNS'] ?? 400)

const schema = defineSchema(
  {
    rows: table(
      {
        id: t.integer().primaryKey(),
        text: t.text().nullable(),
        int: t.integer().nullable(),
        real: t.real().nullable(),
        at: t.timestamp().nullable(),
        bytes: t.bytes().nullable(),
        price: t.decimal(5, 2).nullable(),
        data: t.json<unknown>().nullable(),
      },
      { unique: ['text'] },
    ),
    counted: table({ id: t.integer().primaryKey().generated(), n: t.integer().default(0) }, { versioned: true }),
    pairs: table(
      { a: t.text(), b: t.integer(), rowId: t.integer().references('rows', { onDelete: 'cascade' }) },
      { primaryKey: ['a', 'b'] },
    ),
    docs: documents<Record<string, unknown>>({ indexes: ['team'] }),
    jobs: queue<unknown>(),
  },
  ({ one, many }) => ({ pairs: { row: one('rows', 'rowId') }, rows: { pairs: many('pairs', 'rowId') } }),
)

const MODELS = ['rows', 'counted', 'pairs', 'docs']

/** A value as the name of a member, where it can be one. */
function key(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : 'x'
}

type Call = (r: Any, a: Any, b: Any, storage: Any) => unknown

const calls: Readonly<Record<string, Call>> = {
  create: (r, a) => r.create(a),
  'create field': (r, a) => r.create({ id: 5, a: 'a', b: 5, rowId: 1, text: a }),
  'create fields': (r, a, b) => r.create({ id: 6, int: a, data: b }),
  'create at': (r, a, b) => r.create({ id: 6, at: a, bytes: b }),
  'create numbers': (r, a, b) => r.create({ id: 6, real: a, price: b }),
  'create name': (r, a, b) => r.create({ id: 7, [key(a)]: b }),
  'create inner': (r, a) => r.create({ id: 8, data: { a: [{ b: a }] } }),
  createMany: (r, a) => r.createMany(a),
  'createMany rows': (r, a, b) => r.createMany([{ id: 9 }, a, b]),
  'createMany field': (r, a) => r.createMany([{ id: 9 }, { id: a }]),
  save: (r, a) => r.save(a),
  'save field': (r, a, b) => r.save({ id: 1, text: a, version: b }),
  upsert: (r, a, b) => r.upsert(a, b),
  'upsert options': (r, a) => r.upsert({ id: 1, n: 2 }, a),
  'upsert on': (r, a) => r.upsert({ id: 1, text: 'z' }, { on: a }),
  'upsert update': (r, a) => r.upsert({ id: 1 }, { update: a }),
  'upsert field': (r, a) => r.upsert({ id: 1 }, { update: { text: a } }),
  update: (r, a, b) => r.update(a, b),
  'update patch': (r, a) => r.update(1, a),
  'update doc patch': (r, a) => r.update('a', a),
  'update doc field': (r, a) => r.update('a', { text: a }),
  'update name': (r, a, b) => r.update('a', { [key(a)]: b }),
  'update pair': (r, a, b) => r.update({ a, b }, { rowId: 1 }),
  'update field': (r, a, b) => r.update(1, { text: a, int: b }),
  'update options': (r, a) => r.update(1, { n: 3 }, a),
  'update ifVersion': (r, a) => r.update(1, { n: 3 }, { ifVersion: a }),
  'updateMany where': (r, a) => r.updateMany(a, { n: 1, text: 'one' }),
  'updateMany patch': (r, a) => r.updateMany({ id: 1 }, a),
  'updateMany field': (r, a, b) => r.updateMany({ [key(a)]: b }, { int: a }),
  delete: (r, a) => r.delete(a),
  'delete pair': (r, a, b) => r.delete({ a, b }),
  deleteMany: (r, a) => r.deleteMany(a),
  'deleteMany field': (r, a) => r.deleteMany({ text: a }),
  'deleteMany operator': (r, a, b) => r.deleteMany({ id: { [key(b)]: a } }),
  findById: (r, a, b) => r.findById(a, b),
  'findById pair': (r, a, b) => r.findById({ a, b }),
  getById: (r, a) => r.getById(a),
  findByIds: (r, a, b) => r.findByIds(a, b),
  'findByIds list': (r, a, b) => r.findByIds([a, b]),
  find: (r, a) => r.find(a),
  'find where': (r, a) => r.find({ where: a }),
  'find field': (r, a, b) => r.find({ where: { [key(b)]: a } }),
  'find value': (r, a, b) => r.find({ where: { id: a, text: b } }),
  'find operators': (r, a, b) =>
    r.find({ where: { id: { gt: a }, int: { in: [a, b] }, text: { contains: b }, data: { has: a } } }),
  'find in': (r, a, b) => r.find({ where: { id: { in: a }, text: { notIn: b } } }),
  'find path': (r, a, b) => r.find({ where: { [`data.${key(b)}`]: a, 'data.x': { lte: b } } }),
  'find lists': (r, a, b) => r.find({ where: { and: a, or: b, not: a } }),
  'find in lists': (r, a, b) => r.find({ where: { and: [a], or: [b, {}], not: { not: a } } }),
  'find reach': (r, a, b) => r.find({ where: { reach: a }, limit: b }),
  'find from': (r, a, b) => r.find({ where: { reach: { from: a, graph: b } } }),
  'find orderBy': (r, a, b) => r.find({ orderBy: a, offset: b }),
  'find order': (r, a, b) => r.find({ orderBy: [{ [key(a)]: b }] }),
  'find limit': (r, a, b) => r.find({ limit: a, offset: b }),
  'find select': (r, a, b) => r.find({ select: a, include: b }),
  'find selected': (r, a, b) => r.find({ select: ['id', a, b] }),
  'find include': (r, a) => r.find({ include: { pairs: a, row: a } }),
  'find included': (r, a, b) => r.find({ include: { pairs: { where: a, orderBy: b } } }),
  'find included few': (r, a, b) => r.find({ include: { pairs: { limit: a, select: b, include: a } } }),
  'find cache': (r, a) => r.find({ cache: a }),
  'find cached': (r, a) => r.find({ cache: { ttlMs: a } }),
  findOne: (r, a) => r.findOne(a),
  'findOne where': (r, a) => r.findOne({ where: a }),
  page: (r, a) => r.page(a),
  'page first': (r, a, b) => r.page({ first: a, after: b }),
  'page after': (r, a) => r.page({ first: 1, after: a }),
  'page cursor': (r, a, b) =>
    r.page({
      first: 1,
      after: Buffer.from(JSON.stringify({ o: 'id.asc', v: [safe(a), safe(b)] })).toString('base64url'),
    }),
  'page cursor value': (r, a) =>
    r.page({ first: 1, after: Buffer.from(JSON.stringify({ o: 'id.asc', v: [safe(a)] })).toString('base64url') }),
  stream: async (r, a) => Array.fromAsync(r.stream(a)),
  'stream where': async (r, a) => Array.fromAsync(r.stream({ where: a })),
  count: (r, a, b) => r.count(a, b),
  exists: (r, a, b) => r.exists(a, b),
  aggregate: (r, a) => r.aggregate(a),
  'aggregate select': (r, a, b) => r.aggregate({ select: { n: count(), a, b } }),
  'aggregate groupBy': (r, a, b) => r.aggregate({ groupBy: a, select: { n: count() }, orderBy: b }),
  'aggregate group': (r, a, b) => r.aggregate({ groupBy: { g: a }, select: { n: count() }, having: { n: b } }),
  'aggregate having': (r, a, b) => r.aggregate({ groupBy: { id: 'id' }, select: { n: count() }, having: a, limit: b }),
  'aggregate sum': (r, a, b) => r.aggregate({ select: { n: sum(a) }, where: b }),
  'aggregate list': (r, a, b) => r.aggregate({ groupBy: [a, b], select: [a] }),
  'query where': (r, a) => r.query().select({ id: 'id' }).where(a).all(),
  'query join': (r, a, b) => r.query().join('pairs', a).select(b).all(),
  'query joined': (r, a, b) => r.query().leftJoin(a, { id: b }).select({ id: 'id' }).all(),
  'query parts': (r, a, b) => r.query().select({ id: 'id' }).limit(a).offset(b).all(),
  'query order': (r, a, b) => r.query().select({ n: a }).orderBy(b).first(),
  'query group': (r, a, b) => r.query().groupBy(a).having(b).all(),
  'query cache': (r, a) => r.query().select({ id: 'id' }).cache(a).all(),
  repository: (_r, a, b, storage) => storage.repository(a).findById(b),
  batch: (_r, a, _b, storage) => storage.batch(a),
  'batch operations': (_r, a, b, storage) => storage.batch([a, b]),
  'batch insert': (_r, a, b, storage) =>
    storage.batch([
      { insert: 'rows', values: a },
      { insert: 'rows', values: [b] },
    ]),
  'batch into': (_r, a, b, storage) => storage.batch([{ insert: a, values: { id: b } }]),
  'batch update': (_r, a, b, storage) => storage.batch([{ update: 'rows', id: a, set: b }]),
  'batch set': (_r, a, b, storage) => storage.batch([{ update: 'counted', id: 1, set: { n: a }, ifVersion: b }]),
  'batch delete': (_r, a, b, storage) =>
    storage.batch([
      { delete: 'rows', id: a },
      { delete: b, id: 1 },
    ]),
  'batch enqueue': (_r, a, b, storage) => storage.batch([{ enqueue: 'jobs', data: a, priority: b }]),
  'batch enqueue into': (_r, a, b, storage) => storage.batch([{ enqueue: a, data: 1, key: b }]),
  // What a function throws is the program's own.
  'transaction work': (_r, a, _b, storage) => storage.transaction(typeof a === 'function' ? 1 : a),
  'transaction options': (_r, a, _b, storage) => storage.transaction(async () => 1, a),
  'transaction option': (_r, a, b, storage) => storage.transaction(async () => 1, { isolation: a, retries: b }),
  'transaction limits': (_r, a, b, storage) => storage.transaction(async () => 1, { timeoutMs: a, readOnly: b }),
}

/** What of a value JSON can hold. */
function safe(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value) ?? 'null')
  } catch {
    return {}
  }
}

const ALLOWED = new Set([
  'VALIDATION',
  'CONFIGURATION',
  'NOT_FOUND',
  'CONFLICT_UNIQUE',
  'CONFLICT_VERSION',
  'CONSTRAINT_FOREIGN_KEY',
  'CONSTRAINT_CHECK',
  'CONSTRAINT_NOT_NULL',
])

/** How a call ended, as far as backends must agree; throws for an end that no call may have. */
async function endOf(call: () => unknown): Promise<unknown> {
  try {
    await call()
    return 'done'
  } catch (error) {
    if (!isHoldfastError(error)) throw new Error('what was thrown is no HoldfastError', { cause: error })
    if (!ALLOWED.has(error.code)) throw new Error(`${error.code} is no answer to bad input`, { cause: error })
    expect(error.message.length).toBeLessThan(4_000)
    expect(error.hint).not.toBe('')
    if (error.code !== 'VALIDATION') return error.code
    return [error.code, (error as Any).issues.map(({ path }: Any) => path)]
  }
}

async function contents(storage: Any): Promise<unknown[]> {
  const all: unknown[] = []
  for (const name of MODELS) all.push((await storage.repository(name).find()).map(timeless))
  all.push(await storage.queue('jobs').stats())
  return all
}

function timeless(record: Any): unknown {
  return 'createdAt' in record
    ? { ...record, id: record.id.length > 30 ? 'made' : record.id, createdAt: 0, updatedAt: 0 }
    : record
}

async function reset(storage: Any): Promise<void> {
  for (const name of MODELS) await storage.repository(name).deleteMany({})
  await storage
    .queue('jobs')
    .purge({})
    .catch(() => undefined)
  await storage.repository('rows').createMany([
    { id: 1, text: 'one', int: 1, data: { x: 1 } },
    { id: 2, data: ['a'] },
  ])
  await storage.repository('counted').create({ id: 1, n: 1 })
  await storage.repository('pairs').create({ a: 'a', b: 1, rowId: 1 })
  await storage.repository('docs').create({ id: 'a', team: 'x', n: 1 })
}

describe.each(comparedDatabases)('$name', ({ fresh }) => {
  let database: ComparedDatabase
  let storage: Any
  let oracle: Any

  beforeAll(async () => {
    database = await fresh()
    storage = await database.open(schema)
    oracle = await openStorage('memory:', { schema })
  })
  afterAll(async () => {
    await storage.close()
    await oracle.close()
    await database.drop()
  })

  it('answers rubbish as memory does, with an error of ours or with success, and keeps its records', async () => {
    const cases = fc.record({
      call: fc.constantFrom(...Object.keys(calls)),
      model: fc.constantFrom(...MODELS),
      a: anyRubbish,
      b: anyRubbish,
    })
    await fc.assert(
      fc.asyncProperty(cases, async ({ call, model, a, b }) => {
        const run = (on: Any) => endOf(() => (calls[call] as Call)(on.repository(model), a.make(), b.make(), on))
        await reset(storage)
        await reset(oracle)
        const before = await contents(oracle)
        const expected = await run(oracle)
        expect(await run(storage)).toEqual(expected)
        const after = await contents(oracle)
        expect(await contents(storage)).toEqual(after)
        if (expected !== 'done') expect(after).toEqual(before)
      }),
      { numRuns: RUNS, seed: SEED },
    )
  }, 600_000)
})
