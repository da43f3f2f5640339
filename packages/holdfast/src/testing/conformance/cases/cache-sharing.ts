import assert from 'node:assert/strict'
import { refused } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'
import { schema } from './cache-levels.ts'

export const cacheSharingCases: readonly ConformanceCase[] = [
  {
    id: 'cache/promotion',
    title: 'What memory takes over from the second level lives no longer than it has left there',
    needs: ['persistent'],
    async run({ open }) {
      const time = { now: Date.parse('2026-03-01T10:00:00Z') }
      const options = { clock: { now: () => time.now } }
      const first = await open(schema, options)
      await first.cache('c').set('a', { n: 1 }, { ttlMs: 1_000 })
      const second = await open(schema, options)
      const cache = second.cache('c')
      time.now += 900
      assert.deepEqual([await cache.get('a'), await cache.get('a')], [{ n: 1 }, { n: 1 }])
      const { hits, memoryHits, secondHits } = cache.stats()
      assert.deepEqual([hits, memoryHits, secondHits], [2, 1, 1])
      time.now += 100
      assert.equal(await cache.get('a'), undefined)
      assert.equal(cache.stats().misses, 1)
    },
  },
  {
    id: 'cache/survives',
    title: 'The second level is there after the storage is closed and opened again',
    needs: ['persistent'],
    async run({ open }) {
      const first = await open(schema)
      await first.cache('c').setMany([
        ['a', { n: 1 }],
        [2, 'two'],
      ])
      await first.cache('c').set('gone', 1, { tags: ['t'] })
      await first.cache('c').invalidateTags(['t'])
      await first.close()
      const second = await open(schema)
      assert.deepEqual(await second.cache('c').getMany(['a', 2, 'gone']), [{ n: 1 }, 'two', undefined])
    },
  },
  {
    id: 'cache/other-storages',
    title: 'What another storage writes, deletes, clears or invalidates leaves the memory of this one',
    needs: ['sharedBetweenProcesses'],
    async run({ open }) {
      const [here, there] = await Promise.all([open(schema), open(schema)])
      const [mine, theirs] = [here.cache('c'), there.cache('c')]
      const becomes = async (expected: unknown) => {
        while ((await mine.get('a')) !== expected) await new Promise((resolve) => setTimeout(resolve, 5))
      }
      const put = async () => {
        await mine.set('a', 'mine', { tags: ['t'] })
        assert.equal(await mine.get('a'), 'mine')
      }
      await put()
      await theirs.set('a', 'theirs')
      await becomes('theirs')
      await theirs.delete('a')
      await becomes(undefined)
      await put()
      await theirs.invalidateTags(['t'])
      await becomes(undefined)
      await put()
      await theirs.clear()
      await becomes(undefined)
      await put()
      assert.equal(await theirs.get('a'), 'mine')
    },
  },
  {
    id: 'cache/other-storages-late-load',
    title: 'A load that began before another storage deleted the key, or cleared, does not put what it found',
    needs: ['sharedBetweenProcesses'],
    async run({ open }) {
      const theirs = (await open(schema)).cache('c')
      const changes = [() => theirs.delete('a'), () => theirs.clear(), () => theirs.invalidateTags(['t'])]
      for (const [at, change] of changes.entries()) {
        await theirs.delete('a')
        const mine = (await open(schema)).cache('c')
        for (const key of ['a', 'b']) {
          const loading = mine.getOrSet(
            key,
            async () => {
              await change()
              return 'old'
            },
            { tags: ['t'] },
          )
          assert.equal(await loading, 'old')
        }
        // Only the deletion was of another key.
        assert.deepEqual([await theirs.get('a'), await theirs.get('b')], [undefined, at === 0 ? 'old' : undefined])
        const elsewhere = (await open(schema)).cache('c')
        assert.deepEqual(await elsewhere.keys(), at === 0 ? ['b'] : [])
        await theirs.delete('b')
      }
    },
  },
  {
    id: 'cache/other-storages-newer-value',
    title: 'A load in place of a value that has expired does not overwrite what another storage put there meanwhile',
    needs: ['sharedBetweenProcesses'],
    async run({ open }) {
      const time = { now: Date.parse('2026-03-01T10:00:00Z') }
      const options = { clock: { now: () => time.now } }
      const [mine, theirs] = [(await open(schema, options)).cache('c'), (await open(schema, options)).cache('c')]
      await mine.set('a', 'first', { ttlMs: 1_000 })
      time.now += 1_001
      const load = async () => {
        await theirs.set('a', 'newer')
        return 'older'
      }
      assert.equal(await mine.getOrSet('a', load), 'older')
      for (const cache of [mine, theirs, (await open(schema, options)).cache('c')]) {
        assert.equal(await cache.get('a'), 'newer')
      }
    },
  },
  {
    id: 'cache/second-level-down',
    title:
      'Where the table cannot be asked, reads go on without it and say so once, and writes are refused, until it is back',
    needs: ['sql'],
    async run({ open }) {
      const storage = await open(schema)
      const errors: unknown[] = []
      const cache = storage.cache('c', { onError: (error) => errors.push(error) })
      await cache.set('known', { n: 1 })
      await storage.sql.schema.alterTable('holdfast_cache').renameTo('gone').execute()
      assert.deepEqual([await cache.get('known'), await cache.get('a')], [{ n: 1 }, undefined])
      let loads = 0
      assert.deepEqual([await cache.getOrSet('a', () => ++loads), await cache.getOrSet('a', () => ++loads)], [1, 1])
      assert.deepEqual([errors.length, cache.stats().down], [1, true])
      await refused(cache.set('a', 1), 'DRIVER')
      await refused(cache.delete('known'), 'DRIVER')
      await storage.sql.schema.alterTable('gone').renameTo('holdfast_cache').execute()
      await cache.set('b', 1)
      assert.deepEqual([await cache.get('b'), cache.stats().down], [1, false])
      await storage.sql.schema.dropTable('holdfast_cache').execute()
      while (errors.length < 2) await cache.get('c')
      assert.ok(cache.stats().errors >= errors.length)
    },
  },
  {
    id: 'cache/comes-back',
    title: 'Reads find the table again by themselves once it is back',
    needs: ['sql'],
    async run({ open }) {
      const storage = await open(schema)
      const cache = storage.cache('c')
      await cache.set('a', 1)
      await storage.sql.schema.alterTable('holdfast_cache').renameTo('gone').execute()
      assert.equal(await cache.get('b'), undefined)
      assert.equal(cache.stats().down, true)
      await storage.sql.schema.alterTable('gone').renameTo('holdfast_cache').execute()
      // Put there by other hands: no write of this cache tells that the table is back.
      await storage.cache('copy').set('b', 2)
      await storage.sql
        .updateTable('holdfast_cache' as never)
        .set({ cache: 'c' } as never)
        .execute()
      while ((await cache.get('b')) !== 2) await new Promise((resolve) => setTimeout(resolve, 10))
      assert.equal(cache.stats().down, false)
    },
  },
  {
    id: 'cache/unreadable-value',
    title: 'A value that other hands made unreadable counts for nothing, harms no other, and is replaced by a load',
    needs: ['sql'],
    async run({ open }) {
      const storage = await open(schema)
      const cache = storage.cache('c', { levels: ['storage'] })
      await cache.setMany([
        ['bad', 1],
        ['good', 2],
      ])
      await storage.sql
        .updateTable('holdfast_cache' as never)
        .set({ value: '{"half' } as never)
        .where('key' as never, '=', 's:bad' as never)
        .execute()
      assert.deepEqual(await cache.getMany(['bad', 'good']), [undefined, 2])
      assert.deepEqual(await cache.entries(), [['good', 2]])
      assert.equal(await cache.getOrSet('bad', () => 3), 3)
      assert.equal(await cache.get('bad'), 3)
      assert.deepEqual([cache.stats().errors, cache.stats().down], [0, false])
    },
  },
]
