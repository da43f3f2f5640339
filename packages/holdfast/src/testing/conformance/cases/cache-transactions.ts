import assert from 'node:assert/strict'
import { refused } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'
import { gate, openCaches, schema } from './cache-levels.ts'

export const cacheTransactionCases: readonly ConformanceCase[] = [
  {
    id: 'cache/commit',
    title: 'What a transaction writes to a cache is seen inside at once, and outside when it commits',
    async run({ open, traits }) {
      const { storage, each } = await openCaches(open)
      await each(async (cache) => {
        await cache.setMany([
          ['a', 1],
          ['b', { n: 2 }],
          ['c', 3],
        ])
        await cache.getMany(['a', 'b', 'c'])
        const written = gate()
        const seen = gate()
        const done = storage.transaction(async (tx) => {
          const mine = tx.cache(cache.name)
          await mine.set('a', 'new')
          assert.equal(await mine.delete('b'), true)
          assert.deepEqual(await mine.getMany(['a', 'b', 'c']), ['new', undefined, 3])
          assert.deepEqual(
            [await mine.has('b'), await mine.size(), (await mine.keys()).toSorted()],
            [false, 2, ['a', 'c']],
          )
          written.resolve()
          await seen.promise
        })
        await written.promise
        if (cache.name.startsWith('memory')) assert.equal(await cache.get('a'), 1)
        // A database in memory has one connection, on which others wait.
        else if (traits.persistent) assert.deepEqual(await cache.getMany(['a', 'b']), [1, { n: 2 }])
        seen.resolve()
        await done
        assert.deepEqual(await cache.getMany(['a', 'b', 'c']), ['new', undefined, 3])
      })
    },
  },
  {
    id: 'cache/rollback',
    title:
      'What a transaction wrote to a cache is forgotten when it rolls back, and what a savepoint wrote with the savepoint',
    async run({ open }) {
      const { storage, each } = await openCaches(open)
      await each(async (cache) => {
        await cache.set('a', 1, { tags: ['t'] })
        const failing = storage.transaction(async (tx) => {
          const mine = tx.cache(cache.name)
          await mine.set('a', 2)
          await mine.set('b', 2)
          await mine.clear()
          await mine.invalidateTags(['t'])
          throw new Error('mine')
        })
        await assert.rejects(failing, /mine/)
        assert.deepEqual([await cache.get('a'), await cache.get('b'), await cache.size()], [1, undefined, 1])
        await storage.transaction(async (tx) => {
          await tx.cache(cache.name).set('outer', 1)
          const inner = tx.transaction(async (nested) => {
            const mine = nested.cache(cache.name)
            assert.deepEqual(await mine.getMany(['a', 'outer']), [1, 1])
            await mine.set('outer', 2)
            await mine.delete('a')
            throw new Error('mine')
          })
          await assert.rejects(inner, /mine/)
          assert.deepEqual(await tx.cache(cache.name).getMany(['a', 'outer']), [1, 1])
          await tx.transaction(async (nested) => {
            await nested.cache(cache.name).set('inner', 1)
            await nested.cache(cache.name).set('both', 1)
          })
          await tx.cache(cache.name).set('both', 2)
          assert.equal(await tx.cache(cache.name).get('inner'), 1)
        })
        assert.deepEqual(await cache.getMany(['a', 'outer', 'inner', 'both']), [1, 1, 1, 2])
        await storage.transaction(async (tx) => {
          await tx.cache(cache.name).set('before', 1)
          await tx.transaction((nested) => nested.transaction((inner) => inner.cache(cache.name).clear()))
          await tx.cache(cache.name).set('after', 1)
          assert.equal(await tx.cache(cache.name).size(), 1)
        })
        assert.deepEqual(await cache.keys(), ['after'])
      })
    },
  },
  {
    id: 'cache/commit-clears',
    title: 'A clearing and an invalidated tag of a transaction take effect with its commit',
    async run({ open }) {
      const { storage, each } = await openCaches(open)
      await each(async (cache) => {
        const fill = async () => {
          await cache.set('a', 1, { tags: ['t'] })
          await cache.set('b', 2)
        }
        await fill()
        await storage.transaction(async (tx) => {
          const mine = tx.cache(cache.name)
          await mine.invalidateTags(['t'])
          assert.deepEqual(await mine.entries(), [['b', 2]])
          await mine.set('late', 3, { tags: ['t'] })
        })
        assert.deepEqual(await cache.getMany(['a', 'b', 'late']), [undefined, 2, 3])
        await fill()
        await storage.transaction(async (tx) => {
          const mine = tx.cache(cache.name)
          await mine.clear()
          assert.deepEqual([await mine.size(), await mine.get('a')], [0, undefined])
          await mine.set('c', 3)
        })
        assert.deepEqual(await cache.getMany(['a', 'b', 'c', 'late']), [undefined, undefined, 3, undefined])
        await fill()
        assert.equal(await cache.size(), 3)
      })
    },
  },
  {
    id: 'cache/commit-late-load',
    title: 'A load that began before a commit does not put what it found over what the transaction wrote',
    async run({ open }) {
      const { storage, each } = await openCaches(open)
      await each(async (cache) => {
        for (const change of ['delete', 'set', 'clear', 'tag'] as const) {
          await cache.clear()
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
          await storage.transaction(async (tx) => {
            const mine = tx.cache(cache.name)
            if (change === 'delete') await mine.delete('a')
            else if (change === 'set') await mine.set('a', 'newer')
            else if (change === 'clear') await mine.clear()
            else await mine.invalidateTags(['t'])
          })
          end.resolve()
          await loading
          assert.equal(await cache.get('a'), change === 'set' ? 'newer' : undefined, change)
        }
      })
    },
  },
  {
    id: 'cache/transaction-load',
    title: 'In a transaction getOrSet loads what is not there, and the transaction decides whether it stays',
    async run({ open }) {
      const { storage, each, time } = await openCaches(open)
      await each(async (cache) => {
        const load = (commits: boolean) =>
          storage.transaction(async (tx) => {
            const value = await tx.cache<{ n: number }>(cache.name).getOrSet('a', () => ({ n: 1 }))
            value.n = 2
            assert.deepEqual(await tx.cache(cache.name).get('a'), { n: 1 })
            if (!commits) throw new Error('mine')
          })
        await assert.rejects(load(false), /mine/)
        assert.equal(await cache.get('a'), undefined)
        await load(true)
        assert.deepEqual(await cache.get('a'), { n: 1 })
        await storage.transaction(async (tx) => {
          const mine = tx.cache(cache.name)
          assert.equal(await mine.getOrSet('b', () => undefined, { negativeTtlMs: 100 }), undefined)
          assert.deepEqual([await mine.has('b'), await mine.size(), await mine.keys()], [false, 1, ['a']])
          await mine.set('c', 3, { ttlMs: 100, staleMs: 100 })
          time.now += 100
          assert.deepEqual([await mine.get('c'), await mine.delete('c')], [undefined, false])
        })
      })
    },
  },
  {
    id: 'cache/misplaced',
    title: 'A cache of the storage is refused inside a transaction of it, even where memory would know',
    async run({ open }) {
      const { storage, each } = await openCaches(open)
      await each(async (cache) => {
        await cache.set('a', 1)
        await storage.transaction(async () => {
          await refused(cache.get('a'), 'TRANSACTION_MISUSE')
          await refused(cache.set('a', 2), 'TRANSACTION_MISUSE')
          await refused(cache.delete('a'), 'TRANSACTION_MISUSE')
          await refused(
            cache.getOrSet('a', () => 2),
            'TRANSACTION_MISUSE',
          )
        })
        assert.equal(await cache.get('a'), 1)
      })
      await storage.close()
      await each((cache) => refused(cache.get('a'), 'CLOSED').then(() => undefined))
    },
  },
  {
    id: 'cache/commit-with-data',
    title: 'Data and a cache change in one commit: nobody finds the old value once the data is new',
    async run({ open }) {
      const { storage, each } = await openCaches(open)
      await each(async (cache) => {
        const rows = storage.repository<{ n: number }>('rows')
        const { id } = await rows.create({ n: 0 })
        const load = async () => (await rows.getById(id)).n
        await cache.getOrSet('n', load)
        for (let n = 1; n <= 10; n++) {
          const reading = Promise.all(Array.from({ length: 5 }, () => cache.getOrSet('n', load)))
          await storage.transaction(async (tx) => {
            await tx.repository<{ n: number }>('rows').update(id, { n })
            await tx.cache(cache.name).delete('n')
          })
          assert.equal(await cache.getOrSet('n', load), n)
          await reading
          assert.equal(await cache.getOrSet('n', load), n)
        }
      })
    },
  },
  {
    id: 'cache/read-only-transaction',
    title:
      'In a read-only transaction a cache, an audit log or a graph that nobody has used yet is empty, and can be written to by no one',
    async run({ open }) {
      const storage = await open(schema)
      const rows = storage.repository<{ n: number }>('rows')
      await rows.create({ n: 1 })
      let runs = 0
      const found = await storage.transaction(
        async (tx) => {
          runs++
          const seen = await tx.repository<{ n: number }>('rows').count()
          return [seen, await tx.cache('c').get('a'), await tx.cache('c').size(), await tx.audit.count()]
        },
        { readOnly: true, retries: 0 },
      )
      assert.deepEqual(found, [1, undefined, 0, 0])
      assert.ok(runs <= 4, 'a run for each table that had to be made')
      assert.deepEqual(await storage.transaction((tx) => tx.graph('g').nodes('a'), { readOnly: true }), [])
      await refused(
        storage.transaction((tx) => tx.cache('c').set('a', 1), { readOnly: true }),
        'READ_ONLY',
      )
      assert.equal(await storage.cache('c').get('a'), undefined)
    },
  },
]
