import Keyv from 'keyv'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CacheOptions, openStorage, type Storage } from '../index.ts'

/** A store behind Keyv that can be taken down. */
class Switched extends Map<string, unknown> {
  down = false

  override get(key: string): unknown {
    this.#check()
    return super.get(key)
  }

  override set(key: string, value: unknown): this {
    this.#check()
    return super.set(key, value)
  }

  #check(): void {
    if (this.down) throw new Error('the store is down')
  }
}

describe('a Keyv store as the second level', () => {
  let storage: Storage
  let map: Switched
  let keyv: Keyv

  beforeEach(async () => {
    storage = await openStorage('memory:')
    map = new Switched()
    keyv = new Keyv({ store: map })
  })

  afterEach(() => storage.close())

  function cache(name: string, options: CacheOptions = {}) {
    return storage.cache(name, { levels: ['memory', keyv], ...options })
  }

  it('keeps caches apart that share it, and leaves alone what is not theirs', async () => {
    await keyv.set('mine', 1)
    const [a, b] = [cache('a'), cache('a:s')]
    await a.set('s:x', 'a')
    await b.set('x', 'b')
    await a.set('long'.repeat(200), { n: 1 })
    expect([await a.keys(), await b.entries()]).toEqual([['s:x', 'long'.repeat(200)], [['x', 'b']]])
    await a.clear()
    expect([await a.size(), await a.get('s:x'), await b.get('x'), await keyv.get('mine')]).toEqual([
      0,
      undefined,
      'b',
      1,
    ])
  })

  it('counts what other hands made unreadable for nothing, and puts in its place what is loaded', async () => {
    const one = cache('c', { levels: [keyv] })
    await one.setMany([
      ['bad', 1],
      ['good', 2],
    ])
    for (const unreadable of ['{"half', 'null', '7', '[]']) {
      await keyv.set('c:s:bad', unreadable)
      expect(await one.getMany(['bad', 'good'])).toEqual([undefined, 2])
      expect(await one.entries()).toEqual([['good', 2]])
      expect(await one.getOrSet('bad', () => 3)).toBe(3)
      expect(await one.get('bad')).toBe(3)
    }
    expect([one.stats().errors, one.stats().down]).toEqual([0, false])
  })

  it('is seen by another storage on the same store, tags and clearings included', async () => {
    const other = await openStorage('memory:')
    const [here, there] = [cache('c', { levels: [keyv] }), other.cache('c', { levels: [keyv] })]
    await here.set('a', { n: 1 }, { tags: ['t'], ttlMs: 60_000 })
    await here.set('b', 2)
    expect(await there.getMany(['a', 'b'])).toEqual([{ n: 1 }, 2])
    await there.invalidateTags(['t'])
    expect(await here.getMany(['a', 'b'])).toEqual([undefined, 2])
    const late = here.getOrSet('b', () => 'late')
    await there.clear()
    await late
    const during = here.getOrSet('c', async () => {
      await there.clear()
      return 'old'
    })
    expect(await during).toBe('old')
    expect(await there.get('c')).toBe(undefined)
    await other.close()
  })

  it('may be down: reads go on and it is said once; writes are refused', async () => {
    const errors: unknown[] = []
    const c = cache('c', { onError: (error) => errors.push(error) })
    await c.set('known', 1)
    map.down = true
    expect([await c.get('known'), await c.get('a'), await c.getMany(['b'])]).toEqual([1, undefined, [undefined]])
    let loads = 0
    const load = () => ++loads
    expect([await c.getOrSet('a', load), await c.getOrSet('a', load)]).toEqual([1, 1])
    expect([errors.length, c.stats().down]).toEqual([1, true])
    expect(errors[0]).toMatchObject({ code: 'DRIVER', cause: { message: 'the store is down' } })
    const writes = [c.set('a', 1), c.delete('a'), c.clear(), c.invalidateTags(['t'])]
    for (const { status } of await Promise.allSettled(writes)) expect(status).toBe('rejected')
    map.down = false
    expect(await c.getOrSet('a', load)).toBe(2)
  })

  it('is given what a transaction wrote when that commits, and nobody finds what was there before', async () => {
    const c = cache('c', { levels: [keyv] })
    await c.set('a', 'old')
    await storage.transaction((tx) => tx.cache('c').set('a', 'new'))
    expect(await c.get('a')).toBe('new')
    await storage.transaction((tx) => tx.cache('c').delete('a'))
    expect([await c.get('a'), await c.size()]).toEqual([undefined, 0])
  })
})
