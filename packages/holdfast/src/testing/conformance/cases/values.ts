import assert from 'node:assert/strict'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type Column, defineSchema, t, table } from '../../../schema/index.ts'
import { pick, refusedWhole, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

/** Stores each value, reads it back in every way there is, and finds it again by itself. */
function keeps<Value>(
  id: string,
  title: string,
  column: () => Column<Value>,
  values: readonly Value[],
  expected: readonly Value[] = values,
  findable = true,
): ConformanceCase {
  return {
    id,
    title,
    async run({ open }) {
      const schema = defineSchema({ rows: table({ id: t.integer().primaryKey(), value: column().nullable() }) })
      const rows = (await open(schema)).repository('rows')
      const stored = values.map((_, index) => ({ id: index, value: expected[index] as Value }))
      const created = await rows.createMany(values.map((value, index) => ({ id: index, value })) as never)
      assert.deepEqual(created, stored, 'createMany gives another value')
      assert.deepEqual(await rows.find(), stored)
      for (const [index, value] of values.entries()) {
        const row = stored[index]
        assert.deepEqual(await rows.findById(index), row)
        if (findable) {
          assert.ok(pick(await rows.find({ where: { value } as never }), 'id').includes(index), `${index} is not found`)
          assert.ok(pick(await rows.find({ where: { value: { in: [value] } } as never }), 'id').includes(index))
        }
        assert.deepEqual(await rows.create({ id: 1000 + index, value } as never), {
          id: 1000 + index,
          value: expected[index],
        })
        assert.deepEqual(await rows.update(1000 + index, { value: null } as never), { id: 1000 + index, value: null })
        assert.deepEqual(await rows.update(1000 + index, { value } as never), {
          id: 1000 + index,
          value: expected[index],
        })
        assert.deepEqual(await rows.upsert({ id: 1000 + index, value } as never), {
          id: 1000 + index,
          value: expected[index],
        })
      }
      // Calls of one tick may travel together, in another form than each alone.
      const gathered = stored.map(({ id, value }) => ({ id: 2000 + id, value }))
      const calls = values.map((value, index) => rows.create({ id: 2000 + index, value } as never))
      assert.deepEqual(await Promise.all(calls), gathered)
      assert.deepEqual(await Promise.all(gathered.map(({ id }) => rows.findById(id))), gathered)
      const again = values.map((value, index) => rows.update(2000 + index, { value } as never))
      assert.deepEqual(await Promise.all(again), gathered)
    },
  }
}

const CONTROLS = Array.from({ length: 31 }, (_, index) => String.fromCharCode(index + 1)).join('')

/** Doubles with every kind of bit pattern, the same in every run. */
function doubles(): number[] {
  const view = new DataView(new ArrayBuffer(8))
  const found: number[] = []
  for (let seed = 1; found.length < 60; seed++) {
    view.setUint32(0, Math.imul(seed, 0x9e3779b1) >>> 0)
    view.setUint32(4, Math.imul(seed, 0x85ebca6b) >>> 0)
    const value = view.getFloat64(0)
    if (Number.isFinite(value)) found.push(value)
  }
  return found
}

const time = (text: string): Date => new Date(text)

/** A Standard Schema by hand: numbers, which it doubles. */
const Doubled: StandardSchemaV1<unknown, number> = {
  '~standard': {
    version: 1,
    vendor: 'conformance',
    validate: (value) =>
      typeof value === 'number' ? { value: value * 2 } : { issues: [{ message: 'must be a number', path: ['deep'] }] },
  },
}

export const valueCases: readonly ConformanceCase[] = [
  keeps(
    'values/text',
    'Text comes back letter for letter: empty, blank, control characters, every plane of Unicode',
    t.text,
    [
      '',
      ' ',
      'a ',
      '\t\r\n',
      CONTROLS,
      '\u007f\u0085\u00a0\u2028\u2029\ufeff',
      '\'"`\\/;--%_?$1:a@b',
      'é',
      'e\u0301',
      'ß',
      'İıſK',
      '名前',
      '\uffff\ufffe\ufffd',
      '\u{1F600}\u{10FFFF}',
      '👩‍👩‍👧',
      '\u202eright to left',
      'null',
      'NULL',
      '{a,"b"}',
      '{}',
      '[1]',
      '0',
      '1e5',
      'x'.repeat(100_000),
    ],
  ),
  keeps('values/integer', 'Integers come back exactly, to the edge of what is safe', t.integer, [
    0,
    1,
    -1,
    2 ** 31,
    -(2 ** 31) - 1,
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
  ]),
  keeps('values/negative-zero', 'Minus zero becomes zero', t.real, [-0, 0], [0, 0]),
  keeps('values/bigint', 'A bigint comes back with all its 64 bits', t.bigint, [
    0n,
    -1n,
    2n ** 53n + 1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ]),
  keeps('values/real', 'A real comes back with every bit', t.real, [
    1,
    -1.5,
    0.1,
    1 / 3,
    1e21,
    1e-7,
    2 ** 53 + 2,
    5e-324,
    Number.MIN_VALUE * 2 ** 51,
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    Number.EPSILON,
    ...doubles(),
  ]),
  keeps(
    'values/decimal',
    'A decimal comes back exactly, with all the digits of its scale',
    () => t.decimal(18, 4),
    ['0', '-0', '1', '1.5', '0001.50', '-0.0001', '99999999999999.9999', '-99999999999999.9999', '10000000000000'],
    [
      '0.0000',
      '0.0000',
      '1.0000',
      '1.5000',
      '1.5000',
      '-0.0001',
      '99999999999999.9999',
      '-99999999999999.9999',
      '10000000000000.0000',
    ],
  ),
  keeps('values/decimal-whole', 'A decimal without digits after the point has no point', () => t.decimal(18, 0), [
    '0',
    '-7',
    '999999999999999999',
    '-999999999999999999',
  ]),
  keeps('values/boolean', 'A boolean comes back as a boolean', t.boolean, [true, false]),
  keeps('values/timestamp', 'A timestamp keeps its milliseconds in UTC, from year 1 to 9999', t.timestamp, [
    time('0001-01-01T00:00:00.000Z'),
    time('0099-12-31T23:59:59.999Z'),
    time('1582-10-10T12:00:00.001Z'),
    time('1883-11-18T17:00:00.123Z'),
    time('1969-12-31T23:59:59.999Z'),
    time('1970-01-01T00:00:00.000Z'),
    time('1970-01-01T00:00:00.001Z'),
    time('2024-03-31T01:30:00.500Z'),
    time('2038-01-19T03:14:08.000Z'),
    time('9999-12-31T23:59:59.999Z'),
  ]),
  keeps('values/date', 'A date is a day and nothing else, whatever the time zone', t.date, [
    '0001-01-01',
    '0099-03-01',
    '1582-10-10',
    '1900-02-28',
    '1970-01-01',
    '2000-02-29',
    '2024-03-31',
    '9999-12-31',
  ]),
  keeps(
    'values/uuid',
    'A UUID is kept in lower case and found in either',
    t.uuid,
    [
      '00000000-0000-0000-0000-000000000000',
      'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
      '0190f5c3-aBcD-7000-8000-0000000000ff',
    ],
    [
      '00000000-0000-0000-0000-000000000000',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      '0190f5c3-abcd-7000-8000-0000000000ff',
    ],
  ),
  keeps('values/bytes', 'Bytes come back as they were, as a plain Uint8Array', t.bytes, [
    new Uint8Array(),
    new Uint8Array([0]),
    new Uint8Array([0, 0, 255]),
    Uint8Array.from({ length: 256 }, (_, index) => index),
    new TextEncoder().encode('\\x00 \\000 é'),
    new Uint8Array(300_000).fill(7),
  ]),
  keeps(
    'values/enum',
    'An enum takes its own texts, whatever is in them',
    () => t.enum(['a', 'A', '', "it's", '100%', '😀']),
    ['a', 'A', '', "it's", '100%', '😀'],
  ),
  keeps<unknown>(
    'values/json',
    'JSON comes back as it was: scalars, lists, odd keys, numbers to the last digit',
    () => t.json(),
    [
      '',
      'text',
      '"quoted"',
      'null',
      0,
      -1.5,
      true,
      false,
      [],
      {},
      [[], {}, [null]],
      {
        '': 1,
        ' ': 2,
        'a.b': 3,
        "it's": 4,
        'say "x"': 5,
        '\\': 6,
        $: 7,
        '[0]': 8,
        '*': 9,
        '😀': 10,
        '0': 11,
        constructor: 12,
      },
      { number: [5e-324, Number.MAX_VALUE, 1e21, 0.1, 1 / 3, 2 ** 53 - 1, -(2 ** 53 - 1), 123456789012345680000] },
      { text: `${CONTROLS}\u007f\u2028\u{10FFFF}é/<>&` },
      { missing: { inner: null }, list: [1, 'a', null, { a: [true] }] },
    ],
    undefined,
    false,
  ),
  keeps<unknown>(
    'values/json-normalised',
    'In JSON, undefined members are left out and minus zero becomes zero',
    () => t.json(),
    [{ a: undefined, b: { c: undefined, d: -0 } }, [-0]],
    [{ b: { d: 0 } }, [0]],
    false,
  ),
  {
    id: 'values/json-depth',
    title: 'JSON may nest 256 levels deep; 257, 1,000 and a cycle are refused',
    async run({ open }) {
      const rows = (
        await open(defineSchema({ rows: table({ id: t.integer().primaryKey(), value: t.json<unknown>() }) }))
      ).repository('rows')
      const nested = (levels: number): unknown => {
        let value: unknown = 'end'
        for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { deep: value }
        return value
      }
      const row = { id: 1, value: nested(256) }
      assert.deepEqual(await rows.create(row), row)
      assert.deepEqual(await rows.findById(1), row)
      const cycle: Record<string, unknown> = {}
      cycle['self'] = cycle
      for (const value of [nested(257), nested(1_000), nested(100_000)]) {
        const error = await refusedWhole(rows, () => rows.create({ id: 2, value }), 'VALIDATION')
        assert.match(error.message, /at most 256 levels/)
      }
      const error = await refusedWhole(rows, () => rows.create({ id: 2, value: [cycle] }), 'VALIDATION')
      assert.match(error.message, /value\.0\.self must not hold what it lies in/)
    },
  },
  {
    id: 'values/json-size',
    title: 'JSON of 8 MiB is kept; one of 50 MB is refused at once, without repeating it',
    async run({ open }) {
      const rows = (
        await open(defineSchema({ rows: table({ id: t.integer().primaryKey(), value: t.json<unknown>() }) }))
      ).repository('rows')
      const large = { text: 'x'.repeat(8 * 1024 * 1024) }
      await rows.create({ id: 1, value: large })
      assert.deepEqual((await rows.getById(1)).value, large)
      const huge = Array.from({ length: 50 }, () => 'x'.repeat(1_000_000))
      const error = await refusedWhole(rows, () => rows.create({ id: 2, value: huge }), {
        code: 'VALIDATION',
        paths: ['value'],
      })
      assert.ok(error.message.length < 1_000)
    },
  },
  {
    id: 'values/json-schema',
    title: 'A JSON column with a schema stores what the schema gives back, and names what it refuses',
    async run({ open }) {
      const schema = defineSchema({ rows: table({ id: t.integer().primaryKey(), value: t.json(Doubled).nullable() }) })
      const rows = (await open(schema)).repository('rows')
      assert.deepEqual(await rows.create({ id: 1, value: 2 }), { id: 1, value: 4 })
      assert.deepEqual(await rows.update(1, { value: 5 }), { id: 1, value: 10 })
      assert.deepEqual(await rows.upsert({ id: 1, value: 6 }), { id: 1, value: 12 })
      assert.deepEqual(await rows.update(1, { value: null }), { id: 1, value: null })
      for (const call of [
        () => rows.create({ id: 2, value: wrong('x') }),
        () => rows.update(1, { value: wrong('x') }),
        () => rows.upsert({ id: 1, value: wrong('x') }),
      ]) {
        await refusedWhole(rows, call, { code: 'VALIDATION', paths: ['value.deep'] })
      }
    },
  },
  {
    id: 'values/defaults',
    title: 'A column that is left out or undefined gets its default: a value, a function, the time, an id, or null',
    async run({ open }) {
      let calls = 0
      const schema = defineSchema({
        rows: table({
          id: t.id(),
          value: t.text().default('x'),
          made: t.integer().default(() => ++calls),
          json: t.json<string[]>().default(() => ['a']),
          at: t.timestamp().defaultNow(),
          none: t.text().nullable(),
          choice: t.text().nullable().default('given'),
        }),
      })
      const at = new Date('2024-05-06T07:08:09.010Z')
      const rows = (await open(schema, { clock: { now: () => at.getTime() } })).repository('rows')
      const one = await rows.create({})
      assert.match(one.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.deepEqual(one, { id: one.id, value: 'x', made: 1, json: ['a'], at, none: null, choice: 'given' })
      const two = await rows.create({ value: undefined, made: undefined, choice: null, at: undefined })
      assert.deepEqual(two, { id: two.id, value: 'x', made: 2, json: ['a'], at, none: null, choice: null })
      assert.deepEqual(await rows.findByIds([two.id, one.id]), [two, one])
    },
  },
  {
    id: 'values/generated-keys',
    title: 'Generated keys count up, are never given twice, and never collide with one that was given',
    async run({ open }) {
      const rows = (
        await open(defineSchema({ rows: table({ id: t.integer().primaryKey().generated(), name: t.text() }) }))
      ).repository('rows')
      assert.equal((await rows.create({ name: 'a' })).id, 1)
      assert.deepEqual(pick(await rows.createMany([{ name: 'b' }, { name: 'c' }]), 'id'), [2, 3])
      assert.equal((await rows.create({ id: 7, name: 'given' })).id, 7)
      assert.ok((await rows.create({ name: 'd' })).id > 7)
      await rows.createMany([
        { id: 20, name: 'given' },
        { id: 21, name: 'given' },
      ])
      const last = await rows.create({ name: 'e' })
      assert.ok(last.id > 21)
      await rows.delete(last.id)
      assert.ok((await rows.create({ name: 'f' })).id > last.id)
      assert.equal(await rows.count(), 8)
    },
  },
  {
    id: 'values/copies',
    title: 'Changing what was given, or what was read, changes nothing that is stored',
    async run({ open }) {
      const schema = defineSchema({
        rows: table({
          id: t.integer().primaryKey(),
          json: t.json<{ list: number[] }>(),
          bytes: t.bytes(),
          at: t.timestamp(),
        }),
      })
      const rows = (await open(schema)).repository('rows')
      const whole = new Uint8Array([9, 1, 2, 9])
      const given = { id: 1, json: { list: [1] }, bytes: whole.subarray(1, 3), at: new Date(5) }
      const created = await rows.create(given)
      for (const row of [given, created, await rows.getById(1)]) {
        row.json.list.push(2)
        row.bytes[0] = 7
        row.at.setTime(9)
      }
      const stored = { id: 1, json: { list: [1] }, bytes: new Uint8Array([1, 2]), at: new Date(5) }
      assert.deepEqual(await rows.getById(1), stored)
      const patch = { json: { list: [3] }, bytes: Buffer.from([4]), at: new Date(6) }
      const updated = await rows.update(1, patch)
      patch.json.list.push(5)
      patch.bytes[0] = 5
      patch.at.setTime(7)
      assert.deepEqual(updated, { id: 1, json: { list: [3] }, bytes: new Uint8Array([4]), at: new Date(6) })
      assert.deepEqual(await rows.getById(1), updated)
    },
  },
]
