import assert from 'node:assert/strict'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { count, sum } from '../../../repository/index.ts'
import { defineSchema, documents, queue, t, table } from '../../../schema/index.ts'
import { collect, refused, refusedWhole, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  rows: table(
    {
      id: t.integer().primaryKey(),
      n: t.integer().nullable().check({ gte: 0 }),
      text: t.text().nullable().unique(),
      data: t.json<unknown>().nullable(),
    },
    { versioned: true },
  ),
  pairs: table({ a: t.text(), b: t.integer(), rowId: t.integer().references('rows') }, { primaryKey: ['a', 'b'] }),
  docs: documents<Record<string, unknown>>(),
  jobs: queue<unknown>(),
})

function broken(): never {
  throw new Error('looked at')
}

/** Objects that break when their member `name` is read. */
function unreadable(name: string): object[] {
  const throwing = Object.defineProperty({}, name, { enumerable: true, get: broken })
  const trapped = new Proxy({ [name]: 1 }, { get: broken })
  return [throwing, trapped]
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

/** A schema whose validate() answers with this. */
function answering(validate: (value: unknown) => unknown): StandardSchemaV1<unknown, object> {
  return { '~standard': { version: 1, vendor: 'rubbish', validate: validate as () => { value: object } } }
}

export const hostileCases: readonly ConformanceCase[] = [
  {
    id: 'hostile/one-of-many',
    title: 'One bad record among 10,000, whatever is wrong with it and wherever it stands, leaves none of them',
    async run({ open }) {
      const storage = await open(schema)
      const rows = storage.repository('rows')
      await rows.create({ id: -1, text: 'taken' })
      const many = Array.from({ length: 10_000 }, (_, id) => ({ id, n: id, text: `text ${id}` }))
      const bad = [
        [{ n: Number.NaN }, { code: 'VALIDATION', paths: ['7000.n'] }],
        [{ text: 'a\0' }, { code: 'VALIDATION', paths: ['7000.text'] }],
        [{ n: -5 }, { code: 'CONSTRAINT_CHECK', fields: ['n'] }],
        [{ text: 'taken' }, { code: 'CONFLICT_UNIQUE', fields: ['text'] }],
        [{ id: 6_999 }, { code: 'CONFLICT_UNIQUE', fields: ['id'] }],
      ] as const
      for (const [change, expected] of bad) {
        const given = many.map((row, at) => (at === 7_000 ? { ...row, ...change } : row))
        await refusedWhole(rows, () => rows.createMany(given), expected)
      }
      const { length } = await rows.createMany(many)
      assert.deepEqual([length, await rows.count()], [10_000, 10_001])
    },
  },
  {
    id: 'hostile/unreadable',
    title: 'What cannot be read, such as a getter that throws or a revoked proxy, is refused by its path in every call',
    async run({ open }) {
      const storage = await open(schema)
      const rows = storage.repository('rows')
      const docs = storage.repository('docs')
      await rows.create({ id: 1, n: 1 })
      await docs.create({ id: 'a', n: 1 })
      const whole = [rows, docs]
      const at = (path: string, call: () => unknown) => refusedWhole(whole, call, { code: 'VALIDATION', paths: [path] })
      for (const bad of unreadable('n').map(wrong)) {
        await at('n', () => rows.create(bad))
        await at('1.n', () => rows.createMany([{ id: 5 }, bad]))
        await at('n', () => rows.save(bad))
        await at('n', () => rows.upsert(bad))
        await at('n', () => rows.update(1, bad))
        await at('n', () => rows.updateMany({}, bad))
        await at('where.n', () => rows.deleteMany(bad))
        await at('where.n', () => rows.find({ where: bad }))
        await at('where.and.0.n', () => rows.count(wrong({ and: [bad] })))
        await at('where.n', () => rows.aggregate({ where: bad, select: { n: count() } }))
        await at('orderBy.n', () => rows.find({ orderBy: bad }))
        await at('data.n', () => rows.create({ id: 5, data: bad }))
        await at('inner.list.0.n', () => docs.create({ inner: { list: [bad] } }))
        await at('n', () => storage.batch([{ insert: 'rows', values: bad }]))
        await at('n', () => storage.transaction(async () => 1, bad))
        await at('data.n', () => storage.queue('jobs').enqueue(bad))
      }
      await at('id', () => rows.findById(wrong(revoked())))
      await at('id', () => rows.findByIds([1, wrong(revoked())]))
      await at('', () => rows.create(wrong(revoked())))
      await at('where', () => collect(rows.stream({ where: wrong(revoked()) })))
      assert.equal(await storage.queue('jobs').dequeue(), null)
      assert.equal((await rows.create({ id: 2 })).id, 2)
    },
  },
  {
    id: 'hostile/options',
    title: 'An option that is misspelt is refused by its name, and not left out silently',
    async run({ open }) {
      const storage = await open(schema)
      const rows = storage.repository('rows')
      await rows.create({ id: 1, n: 1 })
      const at = (path: string, call: () => unknown) => refusedWhole(rows, call, { code: 'VALIDATION', paths: [path] })
      await at('ifversion', () => rows.update(1, { n: 2 }, wrong({ ifversion: 9 })))
      await at('options', () => rows.update(1, { n: 2 }, wrong(null)))
      await at('updates', () => rows.upsert({ id: 1, n: 5 }, wrong({ updates: {} })))
      await at('cached', () => rows.findById(1, wrong({ cached: false })))
      await at('ttlMs', () => rows.count({}, wrong({ ttlMs: 5 })))
      await at('wher', () => rows.find(wrong({ wher: { id: 1 } })))
      await at('wher', () => rows.aggregate(wrong({ wher: { id: 1 }, select: { n: count() } })))
      await at('0.ifversion', () => storage.batch([wrong({ update: 'rows', id: 1, set: { n: 2 }, ifversion: 9 })]))
      await at('0', () => storage.batch([wrong({ insert: 'rows', delete: 'rows', values: { id: 2 }, id: 1 })]))
      await at('retry', () => storage.transaction(async () => 1, wrong({ retry: 5 })))
      for (const options of [{ timeoutMs: -1 }, { timeoutMs: 2 ** 31 }, { retries: 0.5 }, { isolation: 'none' }]) {
        const [name] = Object.keys(options) as [string]
        await at(name, () => storage.transaction((tx) => tx.repository('rows').create({ id: 2 }), wrong(options)))
      }
      await at('work', () => storage.transaction(wrong({ isolation: 'serializable' })))
      await storage.transaction(async (tx) => {
        await refused(() => tx.transaction(wrong(5)), { code: 'VALIDATION', paths: ['work'] })
        await refused(() => tx.afterCommit(wrong(5)), { code: 'VALIDATION', paths: ['afterCommit'] })
      })
      await refused(() => open(schema, wrong({ autocreate: true })), 'CONFIGURATION')
      await refused(() => open(schema, wrong({ clock: {} })), 'CONFIGURATION')
      await refused(() => open(wrong({ tables: {} })), 'CONFIGURATION')
    },
  },
  {
    id: 'hostile/holes',
    title: 'A hole in a list is not a value: it is refused where it stands',
    async run({ open }) {
      const storage = await open(schema)
      const rows = storage.repository('rows')
      await rows.create({ id: 1, n: 1 })
      const holes = wrong(Object.assign([1], { 2: 3 })) as never[]
      const at = (path: string, call: () => unknown) => refusedWhole(rows, call, { code: 'VALIDATION', paths: [path] })
      await at('where.n.in.1', () => rows.deleteMany({ n: { in: holes } }))
      await at('where.n.in.1', () => rows.find({ where: { n: { in: [...holes.slice(0, 1), ...new Array(1), null] } } }))
      await at('where.data.x.notIn.1', () => rows.find({ where: { 'data.x': { notIn: holes } } }))
      await at('where.or.0', () => rows.find({ where: { or: new Array(1) } }))
      await at('0', () => rows.createMany(new Array(1)))
      await at('id', () => rows.findByIds(holes))
      await at('0', () => storage.batch(new Array(1)))
    },
  },
  {
    id: 'hostile/cycles',
    title: 'A condition or a record that holds itself is refused at once and in few words',
    async run({ open }) {
      const storage = await open(schema)
      const cycle: Record<string, unknown> = { n: 1 }
      Object.assign(cycle, { and: [cycle, cycle], or: [cycle, cycle], not: cycle })
      const calls = [
        () => storage.repository('rows').find({ where: wrong(cycle) }),
        () => storage.repository('rows').deleteMany(wrong(cycle)),
        () => storage.repository('rows').create({ id: 1, data: cycle }),
        () => storage.repository('docs').create(cycle),
        () => storage.repository('docs').update('a', { inner: cycle }),
        () => storage.queue('jobs').enqueue(cycle),
      ]
      for (const call of calls) {
        const error = await refused(call, 'VALIDATION')
        assert.ok(error.message.length < 5_000, `${error.message.length} characters`)
      }
      assert.equal(await storage.repository('docs').count(), 0)
    },
  },
  {
    id: 'hostile/validators',
    title: 'A Standard Schema that throws, waits or answers rubbish is an error of the schema, and nothing is written',
    async run({ open }) {
      const answers: Readonly<Record<string, (value: unknown) => unknown>> = {
        throwing: broken,
        waiting: async (value) => ({ value }),
        // biome-ignore lint/suspicious/noThenProperty: a promise of another library.
        later: (value) => ({ then: (done: (result: unknown) => void) => done({ value }) }),
        failing: () => Promise.reject(new Error('later')),
        nothing: () => undefined,
        text: () => 'fine',
        empty: () => ({}),
        odd: () => ({ issues: 'no' }),
      }
      for (const [name, validate] of Object.entries(answers)) {
        const storage = await open(
          defineSchema({
            [`${name}Docs`]: documents({ schema: answering(validate) }),
            [`${name}Rows`]: table({ id: t.integer().primaryKey(), data: t.json(answering(validate)) }),
          }),
        )
        const docs = storage.repository(`${name}Docs`)
        const rows = storage.repository(`${name}Rows`)
        await refusedWhole(docs, () => docs.create(wrong({ a: 1 })), 'CONFIGURATION')
        const error = await refusedWhole(rows, () => rows.create(wrong({ id: 1, data: { a: 1 } })), 'CONFIGURATION')
        assert.match(error.message, /rubbish schema of data/)
        await storage.close()
      }
      const storage = await open(
        defineSchema({
          silent: documents({ schema: answering(() => ({ issues: [] })) }),
          list: documents({ schema: answering(() => ({ value: [1] })) }),
          date: documents({ schema: answering(() => ({ value: { at: new Date(0) } })) }),
          version: documents({ schema: answering(() => ({ value: { version: 9 } })) }),
        }),
      )
      for (const [name, path] of [
        ['silent', ''],
        ['list', ''],
        ['date', 'at'],
        ['version', 'version'],
      ] as const) {
        const docs = storage.repository(name)
        await refusedWhole(docs, () => docs.create({}), { code: 'VALIDATION', paths: [path] })
      }
    },
  },
  {
    id: 'hostile/defaults',
    title: 'A default that gives what its column does not take, or throws, names the column and writes nothing',
    async run({ open }) {
      const of = (make: () => unknown) =>
        table({ id: t.integer().primaryKey(), n: t.integer().default(make as () => number) })
      const storage = await open(
        defineSchema({
          text: of(() => 'x'),
          promise: of(async () => 1),
          nothing: of(() => undefined),
          thrown: of(broken),
        }),
      )
      for (const name of ['text', 'promise', 'nothing'] as const) {
        const rows = storage.repository(name)
        await refusedWhole(rows, () => rows.create({ id: 1 }), { code: 'VALIDATION', paths: ['n'] })
        await refusedWhole(rows, () => rows.createMany([{ id: 1, n: 1 }, { id: 2 }]), {
          code: 'VALIDATION',
          paths: ['1.n'],
        })
        assert.equal((await rows.create({ id: 1, n: 1 })).n, 1)
      }
      const rows = storage.repository('thrown')
      const error = await refusedWhole(rows, () => rows.create({ id: 1 }), 'CONFIGURATION')
      assert.match(error.message, /\bn\b/)
      assert.equal((error.cause as Error).message, 'looked at')
    },
  },
  {
    id: 'hostile/checks',
    title: 'A check that is wrong, or that looks into a list, is refused when the storage is opened',
    async run({ open }) {
      const checks = [
        { checks: [{ nope: 1 }] },
        { checks: [{ n: { like: 'x' } }] },
        { checks: [{ or: [{ n: 'x' }] }] },
        { checks: [{ tags: { has: 'x' } }] },
        { checks: [{ not: { and: [{ 'tags.list': { has: 1 } }] } }] },
      ]
      for (const options of checks) {
        const rows = table({ id: t.integer().primaryKey(), n: t.integer(), tags: t.json<string[]>() }, wrong(options))
        const error = await refused(() => open(defineSchema({ rows })), 'CONFIGURATION')
        assert.match(error.message, /rows_1_check/)
      }
      const tags = table({ id: t.integer().primaryKey(), tags: t.json<string[]>().check({ has: 'x' }) })
      const error = await refused(() => open(defineSchema({ tags })), 'CONFIGURATION')
      assert.match(error.hint, /Standard Schema/)
    },
  },
  {
    id: 'hostile/long-names',
    title: 'Names of any length are refused at once, and not repeated',
    async run({ open }) {
      const storage = await open(schema)
      const long = 'x'.repeat(500_000)
      const calls = [
        () => storage.repository(long).create({ a: 1 }),
        () => storage.graph(long).addNode('a', {}),
        () => storage.repository('rows').find({ where: wrong({ [long]: 1 }) }),
        () => storage.repository('rows').find({ orderBy: wrong({ [long]: 'asc' }) }),
        () => storage.repository('rows').find({ select: [wrong(long)] }),
        () => storage.repository('rows').find({ include: wrong({ [long]: true }) }),
        () => storage.repository('rows').aggregate({ select: { n: sum(wrong(long)) } }),
        () => storage.repository('rows').find({ where: { reach: { from: 'a', graph: long } } }),
        () => storage.repository('docs').find({ where: { [`a.${long}`]: 1 } }),
        () => storage.repository('docs').getById(long),
        () => storage.batch([{ delete: long, id: 1 }]),
      ]
      for (const call of calls) {
        const error = await refused(call, 'VALIDATION')
          .catch(() => refused(call, 'CONFIGURATION'))
          .catch(() => refused(call, 'NOT_FOUND'))
        assert.ok(error.message.length < 2_000, `${error.message.length} characters`)
      }
    },
  },
  {
    id: 'hostile/patterns',
    title: 'Texts that regular expressions or LIKE would choke on are matched letter for letter, and quickly',
    async run({ open }) {
      const docs = (await open(schema)).repository('docs')
      const long = `${'a'.repeat(50_000)}!`
      await docs.createMany([{ text: long }, { text: '(a+)+$' }, { text: '%_%[a-z]*\\' }])
      for (const [pattern, found] of [
        ['(a+)+$', 1],
        ['^(([a-z])+.)+[A-Z]([a-z])+$', 0],
        ['%_%', 1],
        ['\\', 1],
        ['%a%a%a%a%a%a%a%a%a%a%a%b', 0],
        [`${'a'.repeat(25_000)}!`, 1],
      ] as const) {
        assert.equal(await docs.count({ text: { contains: pattern } }), found, pattern.slice(0, 40))
      }
    },
  },
  {
    id: 'hostile/undeclared-join',
    title: 'A collection that was never used can be joined: it is empty',
    async run({ open }) {
      const storage = await open(schema)
      await storage.repository('rows').create({ id: 1 })
      storage.repository('never')
      const joined = storage
        .repository('rows')
        .query()
        .leftJoin(wrong('never'), wrong({ text: 'id' }))
      assert.deepEqual(await joined.select({ id: 'id' }).all(), [{ id: 1 }])
    },
  },
]
