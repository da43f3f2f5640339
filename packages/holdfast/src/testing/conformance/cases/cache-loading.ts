import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { gate, openCaches } from './cache-levels.ts'

export const cacheLoadingCases: readonly ConformanceCase[] = [
  {
    id: 'cache/single-flight',
    title: 'A thousand callers at once cause one load; what it rejects with is not kept',
    async run({ open }) {
      const { each } = await openCaches(open)
      await each(async (cache) => {
        const { promise, resolve } = gate()
        let loads = 0
        const load = async () => {
          loads++
          await promise
          return { n: loads }
        }
        const calls = Array.from({ length: 1_000 }, () => cache.getOrSet('a', load))
        setImmediate(resolve)
        assert.deepEqual(
          new Set((await Promise.all(calls)).map((value) => JSON.stringify(value))),
          new Set(['{"n":1}']),
        )
        assert.deepEqual([loads, cache.stats().loads, await cache.get('a')], [1, 1, { n: 1 }])
        const failing = Array.from({ length: 10 }, () =>
          cache.getOrSet('b', async () => {
            loads++
            throw new Error('mine')
          }),
        )
        for (const outcome of await Promise.allSettled(failing)) assert.equal(outcome.status, 'rejected')
        assert.deepEqual([loads, await cache.getOrSet('b', () => 5), await cache.get('b')], [2, 5, 5])
      })
    },
  },
  {
    id: 'cache/late-load',
    title: 'A load that began before a deletion, a clearing, a write or an invalidation does not put what it found',
    async run({ open }) {
      const { each } = await openCaches(open)
      await each(async (cache) => {
        const changes: Record<string, () => Promise<unknown>> = {
          delete: () => cache.delete('a'),
          clear: () => cache.clear(),
          set: () => cache.set('a', 'newer'),
          tag: () => cache.invalidateTags(['t']),
        }
        for (const [name, change] of Object.entries(changes)) {
          await cache.delete('a')
          const began = gate()
          const end = gate()
          const loading = cache.getOrSet(
            'a',
            async () => {
              began.resolve()
              await end.promise
              return 'old'
            },
            { tags: ['t'] },
          )
          await began.promise
          await change()
          const other = name === 'set' ? 'newer' : undefined
          assert.equal(await cache.get('a'), other, name)
          end.resolve()
          assert.equal(await loading, 'old')
          assert.equal(await cache.get('a'), other, name)
          assert.equal(await cache.getOrSet('a', () => 'new', { tags: ['t'] }), other ?? 'new', name)
        }
      })
    },
  },
  {
    id: 'cache/stale',
    title:
      'What is stale is given by getOrSet alone, while one load behind it brings what is new, and only until it is kept no longer',
    async run({ open }) {
      const { each, time } = await openCaches(open)
      await each(async (cache) => {
        const options = { ttlMs: 1_000, staleMs: 1_000 }
        await cache.getOrSet('a', () => 'old', options)
        time.now += 1_500
        assert.equal(await cache.get('a'), undefined)
        const { promise, resolve } = gate()
        let loads = 0
        const load = async () => {
          loads++
          await promise
          return 'new'
        }
        const given = await Promise.all(Array.from({ length: 5 }, () => cache.getOrSet('a', load, options)))
        assert.deepEqual(new Set(given), new Set(['old']))
        resolve()
        while ((await cache.get('a')) !== 'new') await new Promise(setImmediate)
        assert.equal(loads, 1)
        time.now += 2_000
        // The load that brought `new` may not have come to its end.
        while ((await cache.getOrSet('a', () => 'newest', options)) !== 'newest') await new Promise(setImmediate)
      })
    },
  },
  {
    id: 'cache/negative',
    title: 'That there is nothing is remembered for as long as was said, and otherwise not',
    async run({ open }) {
      const { each, time } = await openCaches(open)
      await each(async (cache) => {
        let loads = 0
        const nothing = () => {
          loads++
          return undefined
        }
        await cache.getOrSet('a', nothing)
        await cache.getOrSet('a', nothing)
        assert.equal(loads, 2)
        for (let call = 0; call < 3; call++)
          assert.equal(await cache.getOrSet('b', nothing, { negativeTtlMs: 100 }), undefined)
        assert.deepEqual([loads, await cache.has('b'), await cache.size(), await cache.keys()], [3, false, 0, []])
        time.now += 100
        assert.equal(await cache.getOrSet('b', () => 1), 1)
        assert.equal(await cache.getOrSet('c', () => null), null)
        assert.equal(await cache.getOrSet('c', () => assert.fail('null was kept')), null)
      })
    },
  },
  {
    id: 'cache/written-meanwhile',
    title:
      'What is written while a tag that it has not is invalidated is kept; memory alone does what it is told in order',
    async run({ open }) {
      const { storage, each } = await openCaches(open)
      await each(async (cache) => {
        await Promise.all([cache.set('a', 1, { tags: ['other'] }), cache.invalidateTags(['tag'])])
        assert.equal(await cache.get('a'), 1)
      })
      const memory = storage.cache('alone', { levels: ['memory'] })
      await Promise.all([
        memory.set('a', 1),
        memory.clear(),
        memory.set('b', 2, { tags: ['tag'] }),
        memory.set('c', 3, { tags: ['tag'] }),
        memory.invalidateTags(['tag']),
        memory.set('b', 4, { tags: ['tag'] }),
      ])
      assert.deepEqual(await memory.getMany(['a', 'b', 'c']), [undefined, 4, undefined])
    },
  },
  {
    id: 'cache/order-of-writes',
    title: 'What was written last is what all levels have, however many write at once',
    async run({ open }) {
      const { each } = await openCaches(open)
      await each(async (cache) => {
        const writes: Promise<unknown>[] = []
        for (let n = 0; n < 50; n++) {
          writes.push(cache.set('a', n), cache.get('a'))
          if (n % 7 === 3)
            writes.push(
              cache.delete('a'),
              cache.setMany([
                ['a', -n],
                ['b', n],
              ]),
            )
          if (n % 10 === 0) await Promise.resolve()
        }
        await Promise.all(writes)
        assert.deepEqual(
          [await cache.get('a'), await cache.get('b'), (await cache.values()).toSorted()],
          [49, 45, [45, 49]],
        )
      })
    },
  },
]
