import assert from 'node:assert/strict'
import type { CacheKey } from '../../../cache/index.ts'
import { collect, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'
import { openCaches, schema } from './cache-levels.ts'

export const cacheCases: readonly ConformanceCase[] = [
  {
    id: 'cache/values',
    title: 'What is put in a cache is found again, whatever levels it has, and is gone when it is deleted or cleared',
    async run({ open }) {
      const { each } = await openCaches(open)
      await each(async (cache) => {
        assert.equal(await cache.get('a'), undefined)
        await cache.set('a', { list: [1, { deep: 'é' }], none: null })
        await cache.set('b', 0)
        assert.deepEqual(await cache.get('a'), { list: [1, { deep: 'é' }], none: null })
        assert.deepEqual(await cache.getMany(['b', 'x', 'a', 'b']), [
          0,
          undefined,
          { list: [1, { deep: 'é' }], none: null },
          0,
        ])
        assert.deepEqual([await cache.has('b'), await cache.has('x'), await cache.size()], [true, false, 2])
        assert.deepEqual(
          [await cache.delete('a'), await cache.delete('a'), await cache.get('a')],
          [true, false, undefined],
        )
        await cache.set('a', 'again')
        assert.equal(await cache.get('a'), 'again')
        await cache.clear()
        assert.deepEqual([await cache.size(), await cache.get('b')], [0, undefined])
        await cache.set('b', 1)
        assert.deepEqual([await cache.size(), await cache.get('b')], [1, 1])
      })
    },
  },
  {
    id: 'cache/listing',
    title: 'Keys, values and entries are read as a list or one by one, and given to a callback',
    async run({ open }) {
      const { each, storage } = await openCaches(open)
      await storage.cache('another').set('a', 'not theirs')
      await each(async (cache) => {
        await cache.setMany(
          new Map<CacheKey, unknown>([
            ['a', 1],
            ['b', [2]],
          ]),
        )
        await cache.setMany([{ key: 7, value: 'seven', ttlMs: 60_000 }])
        assert.deepEqual(new Set(await cache.keys()), new Set(['a', 'b', 7]))
        assert.deepEqual(new Set((await collect(cache.values())).map(String)), new Set(['1', '2', 'seven']))
        assert.deepEqual(
          new Map(await cache.entries()),
          new Map<CacheKey, unknown>([
            ['a', 1],
            ['b', [2]],
            [7, 'seven'],
          ]),
        )
        const seen: unknown[] = []
        await cache.forEach((value, key) => {
          seen.push([key, value])
        })
        assert.equal(seen.length, 3)
      })
    },
  },
  {
    id: 'cache/keys',
    title: 'No two keys are one: 1 and "1", long keys, keys that look like those of others',
    async run({ open }) {
      const { each } = await openCaches(open)
      const long = 'x'.repeat(3_000)
      const keys: CacheKey[] = [
        1,
        '1',
        'n:1',
        's:1',
        1.5,
        -0,
        '',
        'c:',
        't:a',
        'foo',
        'foo:bar',
        long,
        `${long}y`,
        '__proto__',
        'É',
        'é',
        ' a',
      ]
      await each(async (cache) => {
        await cache.setMany(keys.map((key, index) => ({ key, value: index })))
        assert.deepEqual(
          await cache.getMany(keys),
          keys.map((_, index) => index),
        )
        assert.deepEqual(
          new Set(await cache.keys()),
          new Set(keys.map((key) => (typeof key === 'number' ? key + 0 : key))),
        )
        assert.equal(await cache.get(0), keys.indexOf(-0))
        assert.equal(await cache.delete(long), true)
        assert.deepEqual([await cache.get(long), await cache.get(`${long}y`)], [undefined, keys.indexOf(`${long}y`)])
        await cache.invalidateTags(['a'])
        assert.equal(await cache.size(), keys.length - 1)
      })
    },
  },
  {
    id: 'cache/copies',
    title: 'Neither what was put nor what was given can be changed from outside',
    async run({ open }) {
      const { each } = await openCaches(open)
      await each(async (cache) => {
        for (const make of [() => ({ n: 1 }), () => [1, 2], () => ({ list: [{ n: 1 }] })]) {
          const value = make() as unknown as { n: number; 0: number }
          await cache.set('a', value)
          value.n = value[0] = 2
          const given = (await cache.get('a')) as typeof value
          given.n = given[0] = 3
          const [many] = (await cache.getMany(['a'])) as (typeof value)[]
          ;(many as typeof value).n = (many as typeof value)[0] = 4
          const loaded = (await cache.getOrSet('a', () => assert.fail('it is there'))) as typeof value
          loaded.n = loaded[0] = 5
          assert.deepEqual(await cache.get('a'), make())
        }
        const both = await Promise.all([1, 2].map(() => cache.getOrSet('new', () => ({ list: [1] }))))
        ;(both[0] as { list: number[] }).list.push(2)
        assert.deepEqual([both[1], await cache.get('new')], [{ list: [1] }, { list: [1] }])
      })
    },
  },
  {
    id: 'cache/frozen',
    title: 'A cache of frozen values gives everybody the same value, which nobody can change',
    async run({ open }) {
      const { each } = await openCaches(open, { frozen: true })
      await each(async (cache) => {
        const value = { list: [{ n: 1 }] }
        await cache.set('a', value)
        ;(value.list[0] as { n: number }).n = 2
        const given = (await cache.get('a')) as typeof value
        assert.deepEqual(given, { list: [{ n: 1 }] })
        assert.throws(() => given.list.push({ n: 2 }), TypeError)
        const loaded = (await cache.getOrSet('b', () => value)) as typeof value
        assert.throws(() => Object.assign(loaded, { n: 1 }), TypeError)
        value.list.length = 0
        assert.deepEqual(await cache.getMany(['a', 'b']), [{ list: [{ n: 1 }] }, { list: [{ n: 2 }] }])
      })
    },
  },
  {
    id: 'cache/refused',
    title: 'What JSON cannot hold, invalid keys and options are refused by their path, and nothing is written',
    async run({ open }) {
      const { each, storage } = await openCaches(open)
      await each(async (cache) => {
        await refused(cache.set('a', { when: [new Date()] }), { code: 'VALIDATION', paths: ['value.when.0'] })
        await refused(cache.set('a', undefined), { code: 'VALIDATION', paths: ['value'] })
        await refused(
          cache.setMany([
            { key: 'ok', value: 1 },
            { key: 'b', value: { f: () => 1 } },
          ]),
          { code: 'VALIDATION', paths: ['items.1.value.f'] },
        )
        await refused(cache.setMany(wrong([['a', 1], 7, { key: {}, value: 1 }])), {
          code: 'VALIDATION',
          paths: ['items.1', 'items.2.key'],
        })
        await refused(
          cache.getOrSet('a', () => 1n),
          { code: 'VALIDATION', paths: ['value'] },
        )
        for (const key of [null, undefined, {}, Number.NaN, 'a\0', '\ud800']) {
          await refused(cache.get(wrong(key)), { code: 'VALIDATION', paths: ['key'] })
          await refused(cache.set(wrong(key), 1), { code: 'VALIDATION', paths: ['key'] })
          await refused(cache.delete(wrong(key)), { code: 'VALIDATION', paths: ['key'] })
          await refused(cache.getMany(wrong(['a', key])), { code: 'VALIDATION', paths: ['keys.1'] })
        }
        await refused(cache.set('a', 1, { ttlMs: 0, tags: wrong(['x', 3]) }), {
          code: 'VALIDATION',
          paths: ['ttlMs', 'tags.1'],
        })
        await refused(cache.set('a', 1, wrong({ ttl: 5 })), { code: 'VALIDATION', paths: ['ttl'] })
        for (const ttlMs of [0.5, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY, wrong('1s')])
          await refused(cache.set('a', 1, { ttlMs }), { code: 'VALIDATION', paths: ['ttlMs'] })
        for (const options of [null, 5, [], ['ttlMs']])
          await refused(cache.set('a', 1, wrong(options)), { code: 'VALIDATION', paths: ['options'] })
        assert.deepEqual(await cache.keys(), [])
      })
      await refused(() => storage.cache('new', { max: 0, levels: wrong(['disk']) }), {
        code: 'VALIDATION',
        paths: ['levels', 'max'],
      })
      await refused(() => storage.cache(wrong('')), { code: 'VALIDATION', paths: ['name'] })
      const callback = { code: 'VALIDATION', paths: ['callback'] } as const
      await refused(() => storage.cache('empty').forEach(wrong(undefined)), callback)
      await storage.transaction((tx) => refused(() => tx.cache('empty').forEach(wrong(undefined)), callback))
    },
  },
  {
    id: 'cache/no-json',
    title:
      'A value that JSON cannot hold is refused by the path of what is wrong in it, and what was there stays on every level',
    async run({ open, traits }) {
      const { each, storage } = await openCaches(open)
      const cycle: Record<string, unknown> = { list: [] }
      ;(cycle['list'] as unknown[]).push({ back: cycle })
      class Money {
        readonly cents = 5
      }
      const bad: readonly (readonly [value: unknown, path: string])[] = [
        [{ a: { call: () => 1 } }, 'value.a.call'],
        [() => 1, 'value'],
        [Symbol('s'), 'value'],
        [cycle, 'value.list.0.back'],
        [{ n: [1, 2n] }, 'value.n.1'],
        [{ money: new Money() }, 'value.money'],
        [new Map([[1, 2]]), 'value'],
        [new Uint8Array(3), 'value'],
        [{ at: new Date(Number.NaN) }, 'value.at'],
        [[1, Number.NaN], 'value.1'],
        [{ n: Number.POSITIVE_INFINITY }, 'value.n'],
        [{ text: 'a\ud800' }, 'value.text'],
      ]
      await each(async (cache) => {
        await cache.setMany([
          ['there', 'kept'],
          ['other', 1],
        ])
        for (const [value, path] of bad) {
          await refused(cache.set('there', value), { code: 'VALIDATION', paths: [path] })
          await refused(cache.set('new', value), { code: 'VALIDATION', paths: [path] })
          await refused(
            cache.setMany([
              ['other', 2],
              ['there', value],
            ]),
            {
              code: 'VALIDATION',
              paths: [path.replace('value', 'items.1.value')],
            },
          )
          let loads = 0
          const load = () => {
            loads++
            return value
          }
          const loading = [cache.getOrSet('loaded', load), cache.getOrSet('loaded', load)]
          for (const one of loading) await refused(one, { code: 'VALIDATION', paths: [path] })
          assert.equal(loads, 1)
          if (cache.name !== 'keyv')
            await refused(
              storage.transaction((tx) => tx.cache(cache.name).set('there', value)),
              { code: 'VALIDATION', paths: [path] },
            )
        }
        assert.deepEqual(await cache.getMany(['there', 'other', 'new', 'loaded']), ['kept', 1, undefined, undefined])
        assert.equal(await cache.getOrSet('loaded', () => 'good'), 'good')
      })
      if (!traits.persistent) return
      // What another storage finds is what the table has.
      const elsewhere = (await open(schema)).cache('memory, storage')
      assert.deepEqual((await elsewhere.entries()).toSorted(), [
        ['loaded', 'good'],
        ['other', 1],
        ['there', 'kept'],
      ])
    },
  },
  {
    id: 'cache/one-of-a-name',
    title: 'A name stands for one cache, whose options are given once',
    async run({ open }) {
      const { storage } = await openCaches(open)
      const sessions = storage.cache('sessions', { ttlMs: 1_000 })
      assert.equal(storage.cache('sessions'), sessions)
      assert.equal(storage.cache('sessions', { ttlMs: 1_000, levels: ['memory', 'storage'] }), sessions)
      await refused(() => storage.cache('sessions', { ttlMs: 2_000 }), 'CONFIGURATION')
    },
  },
  {
    id: 'cache/time-to-live',
    title: 'A value is there until its time is up, and not a moment longer',
    async run({ open }) {
      const { each, time } = await openCaches(open, { ttlMs: 1_000 })
      await each(async (cache) => {
        await cache.set('a', 1)
        await cache.set('b', 2, { ttlMs: 5_000 })
        time.now += 999
        assert.deepEqual(await cache.getMany(['a', 'b']), [1, 2])
        time.now += 1
        assert.deepEqual([await cache.get('a'), await cache.has('a'), await cache.get('b')], [undefined, false, 2])
        assert.deepEqual([await cache.keys(), await cache.size(), await cache.delete('a')], [['b'], 1, false])
        time.now += 4_000
        assert.deepEqual(await cache.getMany(['a', 'b']), [undefined, undefined])
      })
    },
  },
  {
    id: 'cache/eviction',
    title: 'Memory holds no more than it may, what was used last; the second level has the rest',
    async run({ open }) {
      const { storage } = await openCaches(open)
      const small = storage.cache('small', { levels: ['memory'], max: 2 })
      await small.setMany([
        ['a', 1],
        ['b', 2],
      ])
      await small.get('a')
      await small.set('c', 3)
      assert.deepEqual([await small.getMany(['a', 'b', 'c']), small.stats().evictions], [[1, undefined, 3], 1])
      const both = storage.cache('both', { max: 1 })
      await both.setMany([
        ['a', 1],
        ['b', 2],
      ])
      assert.deepEqual(await both.getMany(['a', 'b']), [1, 2])
      const { hits, memoryHits, secondHits } = both.stats()
      assert.deepEqual([hits, memoryHits, secondHits], [2, 1, 1])
      const bytes = storage.cache('bytes', { levels: ['memory'], maxBytes: 1_000 })
      await bytes.set('a', 'x'.repeat(700))
      await bytes.set('b', 'x'.repeat(700))
      await bytes.set('c', 'x'.repeat(2_000))
      assert.deepEqual(await bytes.keys(), ['b'])
    },
  },
  {
    id: 'cache/tags',
    title: 'An invalidated tag takes away what was put with it before, and nothing else',
    async run({ open }) {
      const { each } = await openCaches(open)
      await each(async (cache) => {
        const long = 't'.repeat(500)
        await cache.set('a', 1, { tags: ['user 1', 'all'] })
        await cache.set('b', 2, { tags: ['user 2', 'all'] })
        await cache.set('c', 3, { tags: [long] })
        await cache.set('d', 4)
        await cache.invalidateTags(['user 1', 'nobody has it'])
        assert.deepEqual(await cache.getMany(['a', 'b', 'c', 'd']), [undefined, 2, 3, 4])
        assert.deepEqual([await cache.size(), await cache.delete('a'), await cache.has('b')], [3, false, true])
        await cache.set('a', 5, { tags: ['user 1'] })
        await cache.invalidateTags(['all', long])
        assert.deepEqual(await cache.getMany(['a', 'b', 'c', 'd']), [5, undefined, undefined, 4])
        assert.deepEqual(new Set(await cache.keys()), new Set(['a', 'd']))
        await refused(cache.invalidateTags(wrong('all')), { code: 'VALIDATION', paths: ['tags'] })
      })
    },
  },
]
