import assert from 'node:assert/strict'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { increment } from '../../../repository/index.ts'
import { defineSchema, documents } from '../../../schema/index.ts'
import { pick, refused, refusedWhole, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

interface Plan {
  title: string
  cost?: number | null
  owner?: { team: string } | null
  tags?: string[]
}
const plans = defineSchema({
  plans: documents<Plan>({ indexes: ['cost', 'owner.team'], unique: ['title', ['owner.team', 'cost']] }),
})

/** A Standard Schema by hand: trims the name, fills in a level, refuses the rest. */
const Named: StandardSchemaV1<{ name: string; level?: number }, { name: string; level: number }> = {
  '~standard': {
    version: 1,
    vendor: 'conformance',
    validate(value) {
      const { name, level = 1, ...rest } = value as { name: string; level?: number }
      if (typeof name !== 'string' || name.trim() === '')
        return { issues: [{ message: 'must be a name', path: ['name'] }] }
      if (level > 9) return { issues: [{ message: 'must be below ten', path: [{ key: 'level' }] }] }
      if (Object.keys(rest).length > 0) return { issues: [{ message: 'has more than it should' }] }
      return { value: { name: name.trim(), level } }
    },
  },
}
const named = defineSchema({ named: documents({ schema: Named }) })

export const documentCases: readonly ConformanceCase[] = [
  {
    id: 'documents/shape',
    title: 'A document is what was given with an id, a version and the times of its first and last write',
    async run({ open }) {
      let now = 1e12
      const records = (await open(plans, { clock: { now: () => now } })).repository('plans')
      const made = await records.create({ title: 'a', cost: 5 })
      assert.deepEqual(made, {
        id: made.id,
        title: 'a',
        cost: 5,
        version: 1,
        createdAt: new Date(1e12),
        updatedAt: new Date(1e12),
      })
      assert.match(made.id, /^[0-9a-f-]{36}$/)
      assert.deepEqual(await records.findById(made.id), made)
      now += 5
      const changed = await records.update(made.id, { cost: 6 })
      assert.deepEqual(changed, { ...made, cost: 6, version: 2, updatedAt: new Date(1e12 + 5) })
      now += 5
      assert.equal(await records.updateMany({}, { tags: ['x'] }), 1)
      assert.deepEqual(await records.findById(made.id), {
        ...made,
        cost: 6,
        tags: ['x'],
        version: 3,
        updatedAt: new Date(1e12 + 10),
      })
      assert.equal((await records.create({ id: 'mine', title: 'b' })).id, 'mine')
    },
  },
  {
    id: 'documents/missing-and-null',
    title: 'A document keeps missing and null apart, through every kind of write',
    async run({ open }) {
      const records = (await open(plans)).repository('plans')
      const missing = await records.create({ id: 'm', title: 'm', cost: undefined } as never)
      const empty = await records.create({ id: 'n', title: 'n', cost: null })
      assert.deepEqual(['cost' in missing, 'cost' in empty], [false, true])
      await records.updateMany({}, { tags: ['x'] })
      const [m, n] = await records.find()
      assert.deepEqual([m && 'cost' in m, n && 'cost' in n], [false, true])
      assert.deepEqual(pick(await records.find({ where: { cost: null } }), 'id'), ['m', 'n'])
      await records.updateMany({}, { cost: undefined, owner: null })
      assert.equal('cost' in (await records.getById('m')), false)
      assert.equal((await records.update('m', { cost: increment(1.5) })).cost, 1.5)
      assert.equal((await records.update('n', { cost: increment(1) })).cost, null)
      assert.equal((await records.update('m', { cost: null })).cost, null)
    },
  },
  {
    id: 'documents/patch',
    title:
      'A patch replaces whole top-level members and leaves the others; increment adds to numbers only, and a missing one is 0',
    async run({ open }) {
      const records = (await open(defineSchema({ docs: documents<Record<string, unknown>>() }))).repository('docs')
      const { id } = await records.create({ a: { b: 1, c: 2 }, n: 1.5, t: 'text', list: [1, 2], "it's": 1, '😀': [] })
      await records.update(id, {
        a: { b: 9 },
        n: increment(1) as never,
        t: increment(1) as never,
        list: increment(1) as never,
        added: increment(-2) as never,
        toString: increment(1) as never,
        "it's": 2,
        '😀': null,
      })
      const { version: _, createdAt: __, updatedAt: ___, ...rest } = await records.getById(id)
      assert.deepEqual(rest, {
        id,
        a: { b: 9 },
        n: 2.5,
        t: 'text',
        list: [1, 2],
        added: -2,
        toString: 1,
        "it's": 2,
        '😀': null,
      })
    },
  },
  {
    id: 'documents/odd-members',
    title: 'Members of a document may be called as what every object inherits, or as the columns that keep it',
    async run({ open }) {
      const records = (await open(defineSchema({ docs: documents<Record<string, unknown>>() }))).repository('docs')
      const content = { data: 1, constructor: 'c', toString: 't', created_at: 'x', select: 's', '': 'e' }
      const made = await records.create({ id: 'a', ...content })
      const other = await records.create({ id: 'b' })
      assert.deepEqual(await records.find(), [made, other])
      assert.deepEqual(
        (await records.find({ select: ['data', 'constructor', 'nope', 'id'] })) as object[],
        [{ data: 1, constructor: 'c', id: 'a' }, { id: 'b' }] as object[],
      )
      await refused(() => records.find({ select: ['__proto__'] }), { code: 'VALIDATION', paths: ['select'] })
      assert.deepEqual(pick(await records.find({ where: { data: 1, toString: 't' } as never }), 'id'), ['a'])
      assert.deepEqual(
        pick((await records.page({ first: 5, select: ['data'], orderBy: { data: 'desc' } as never })).items, 'data'),
        [1, undefined],
      )
      assert.equal((await records.update('b', { data: { x: 1 } }))['data'] !== undefined, true)
    },
  },
  {
    id: 'documents/unique',
    title: 'Documents are unique by paths, alone and together; those that lack one never collide',
    async run({ open }) {
      const records = (await open(plans)).repository('plans')
      await records.createMany([
        { id: 'a', title: 'a', owner: { team: 'x' }, cost: 1 },
        { id: 'b', title: 'b', owner: { team: 'x' }, cost: 2 },
        { id: 'c', title: 'c', owner: { team: 'x' } },
        { id: 'd', title: 'd', owner: { team: 'x' }, cost: null },
        { id: 'e', title: 'e' },
      ])
      await refusedWhole(records, () => records.create({ title: 'a' }), {
        code: 'CONFLICT_UNIQUE',
        model: 'plans',
        fields: ['title'],
      })
      const both = { code: 'CONFLICT_UNIQUE', model: 'plans', fields: ['owner.team', 'cost'] } as const
      await refusedWhole(records, () => records.create({ title: 'z', owner: { team: 'x' }, cost: 1 }), both)
      await refusedWhole(records, () => records.update('b', { cost: increment(-1) }), both)
      await refusedWhole(records, () => records.create({ id: 'a', title: 'z' }), {
        code: 'CONFLICT_UNIQUE',
        model: 'plans',
        fields: ['id'],
      })
    },
  },
  {
    id: 'documents/unique-types',
    title: 'In a unique path a number, a text and a boolean that look alike are different',
    async run({ open }) {
      const records = (await open(defineSchema({ docs: documents<{ x: unknown }>({ unique: ['x'] }) }))).repository(
        'docs',
      )
      await records.createMany([
        { x: 1 },
        { x: '1' },
        { x: true },
        { x: 'true' },
        { x: 0 },
        { x: false },
        { x: '' },
        { x: null },
        { x: null },
      ])
      for (const x of [1, '1', true, 0, false, '']) {
        await refusedWhole(records, () => records.create({ x }), {
          code: 'CONFLICT_UNIQUE',
          model: 'docs',
          fields: ['x'],
        })
      }
    },
  },
  {
    id: 'documents/upsert',
    title: 'upsert and save of a document replace it whole and keep its first time',
    async run({ open }) {
      let now = 1e12
      const records = (await open(plans, { clock: { now: () => now } })).repository('plans')
      const one = await records.upsert({ id: 'a', title: 'a', cost: 1 })
      now += 1_000
      const two = await records.upsert({ id: 'a', title: 'b' })
      assert.deepEqual(two, { id: 'a', title: 'b', version: 2, createdAt: one.createdAt, updatedAt: new Date(now) })
      assert.deepEqual(await records.findById('a'), two)
      assert.equal((await records.upsert({ id: 'a', title: 'c' }, { update: { cost: 9 } })).title, 'b')
      const saved = await records.save({ ...(await records.getById('a')), title: 'd' })
      assert.deepEqual([saved.title, saved.cost, saved.version], ['d', 9, 4])
      await refusedWhole(records, () => records.save({ ...two, title: 'late' }), {
        code: 'CONFLICT_VERSION',
        model: 'plans',
        fields: ['version'],
      })
      assert.equal((await records.upsert({ title: 'without id' })).version, 1)
    },
  },
  {
    id: 'documents/upsert-race',
    title: 'Of 32 upserts of one new document at once one inserts, and every other counts a version',
    async run({ open }) {
      const records = (await open(plans)).repository('plans')
      const written = await Promise.all(
        Array.from({ length: 32 }, (_, cost) => records.upsert({ id: 'hot', title: 'hot', cost })),
      )
      const versions = pick(written, 'version').sort((left, right) => left - right)
      assert.deepEqual(
        versions,
        Array.from({ length: 32 }, (_, index) => index + 1),
      )
      assert.equal((await records.getById('hot')).version, 32)
    },
  },
  {
    id: 'documents/schema',
    title: 'A schema checks a document whole at every write; what it gives back is stored, what it refuses is named',
    async run({ open }) {
      const records = (await open(named)).repository('named')
      const made = await records.create({ name: '  kim ' })
      assert.deepEqual([made.name, made.level], ['kim', 1])
      assert.deepEqual((await records.update(made.id, { name: ' lee' })).name, 'lee')
      assert.equal((await records.update(made.id, { level: increment(3) })).level, 4)
      assert.equal(await records.updateMany({}, { level: increment(1) }), 1)
      assert.deepEqual(await records.getById(made.id), {
        ...(await records.getById(made.id)),
        name: 'lee',
        level: 5,
        version: 4,
      })
      const tooHigh = { code: 'VALIDATION', paths: ['level'] } as const
      await refusedWhole(records, () => records.create({ name: 'x', level: 10 }), tooHigh)
      await refusedWhole(records, () => records.update(made.id, { level: 10 }), tooHigh)
      await refusedWhole(records, () => records.update(made.id, { level: increment(5) }), tooHigh)
      await refusedWhole(records, () => records.upsert({ id: made.id, name: 'x', level: 10 }), tooHigh)
      await refusedWhole(records, () => records.updateMany({}, { level: increment(5) }), {
        code: 'VALIDATION',
        paths: [`${made.id}.level`],
      })
      await refusedWhole(records, () => records.createMany([{ name: 'x' }, { name: ' ' }]), {
        code: 'VALIDATION',
        paths: ['1.name'],
      })
      await refusedWhole(records, () => records.update(made.id, wrong({ nope: 1 })), {
        code: 'VALIDATION',
        paths: [''],
      })
    },
  },
  {
    id: 'documents/schema-hot-row',
    title: 'Of 32 increments at once of a document that a schema checks none is lost',
    async run({ open }) {
      const records = (
        await open(
          defineSchema({
            named: documents({
              schema: {
                '~standard': {
                  ...Named['~standard'],
                  validate: (value) => ({ value: value as { name: string; level: number } }),
                },
              },
            }),
          }),
        )
      ).repository('named')
      const { id } = await records.create({ name: 'hot', level: 0 })
      await Promise.all(Array.from({ length: 32 }, () => records.update(id, { level: increment(1) })))
      assert.deepEqual([(await records.getById(id)).level, (await records.getById(id)).version], [32, 33])
    },
  },
  {
    id: 'documents/patch-rules',
    title: 'A patch follows the same rules whether a schema checks the documents or not',
    async run({ open }) {
      const anything: StandardSchemaV1<Record<string, unknown>, Record<string, unknown>> = {
        '~standard': {
          version: 1,
          vendor: 'conformance',
          validate: (value) => ({ value: value as Record<string, unknown> }),
        },
      }
      const storage = await open(
        defineSchema({ free: documents<Record<string, unknown>>(), checked: documents({ schema: anything }) }),
      )
      for (const model of ['free', 'checked'] as const) {
        const records = storage.repository(model)
        const { id } = await records.create({ owner: { team: 'a' }, n: 1, word: 'x', none: null })
        const bad: readonly (readonly [unknown, string])[] = [
          [{ 'owner.team': 'x' }, 'owner.team'],
          [JSON.parse('{"__proto__": {"team": "x"}}'), '__proto__'],
          [{ version: 5 }, 'version'],
          [{ 'a\0': 1 }, 'a\0'],
          [{ n: increment(Number.POSITIVE_INFINITY) }, 'n'],
          [{ none: increment(1n) }, 'none'],
          ['x', ''],
          [null, ''],
          [[1], ''],
        ]
        for (const [patch, path] of bad) {
          const refusal = { code: 'VALIDATION', paths: [path] } as const
          await refusedWhole(records, () => records.update(id, wrong(patch)), refusal)
          await refusedWhole(records, () => records.update('nobody', wrong(patch)), refusal)
          await refusedWhole(records, () => records.updateMany({}, wrong(patch)), refusal)
          await refusedWhole(records, () => records.updateMany({ n: 99 }, wrong(patch)), refusal)
        }
        await refusedWhole(records, () => records.update(id, { n: 2 }, { ifVersion: wrong('1') }), {
          code: 'VALIDATION',
          paths: ['ifVersion'],
        })
        const more = increment(1) as never
        const changed = await records.update(id, { n: more, word: more, none: more, added: more, gone: undefined })
        assert.deepEqual(Object.keys(changed).sort(), [
          'added',
          'createdAt',
          'id',
          'n',
          'none',
          'owner',
          'updatedAt',
          'version',
          'word',
        ])
        assert.deepEqual([changed['n'], changed['word'], changed['none'], changed['added']], [2, 'x', null, 1])
      }
    },
  },
  {
    id: 'documents/refused',
    title:
      'What Holdfast keeps cannot be given, what JSON would change silently is refused, and so are paths in a patch',
    async run({ open }) {
      const records = (await open(defineSchema({ docs: documents<Record<string, unknown>>() }))).repository('docs')
      const { id } = await records.create({ a: 1 })
      for (const name of ['version', 'createdAt', 'updatedAt']) {
        await refusedWhole(records, () => records.create({ [name]: 1 }), { code: 'VALIDATION', paths: [name] })
        await refusedWhole(records, () => records.update(id, { [name]: 1 }), { code: 'VALIDATION', paths: [name] })
      }
      await refusedWhole(records, () => records.update(id, { id: 'x' }), { code: 'VALIDATION', paths: ['id'] })
      await refusedWhole(records, () => records.update(id, { 'a.b': 1 }), { code: 'VALIDATION', paths: ['a.b'] })
      const values = [
        new Date(),
        Number.NaN,
        Number.POSITIVE_INFINITY,
        1n,
        new Map(),
        () => 1,
        Symbol('x'),
        'a\0',
        '\ud800',
        { 'k\0': 1 },
        JSON.parse('{"__proto__": {}}'),
      ]
      for (const value of values) {
        await refusedWhole(records, () => records.create({ a: value }), 'VALIDATION')
        await refusedWhole(records, () => records.update(id, { a: [{ b: value }] }), 'VALIDATION')
      }
      for (const key of ['\0', '\ud800', 5, null, undefined, {}])
        await refusedWhole(records, () => records.create({ id: wrong(key ?? null), a: 1 }), {
          code: 'VALIDATION',
          paths: ['id'],
        })
      await refused(() => records.find({ select: ['a.b'] }), { code: 'VALIDATION', paths: ['select'] })
    },
  },
]
