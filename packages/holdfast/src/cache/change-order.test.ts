import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FreshTarget, testBackends } from '../../../../test/targets.ts'
import type { Session } from '../backend/index.ts'
import { systemClock } from '../base/clock.ts'
import { fitTables } from '../migrations/index.ts'
import { RootSession } from '../storage/root-session.ts'
import { backendOf } from '../storage/targets.ts'
import { placeChanges, readChanges, tellsLastPlace } from './change-order.ts'
import { FOREVER } from './entry.ts'
import { cacheEntries } from './model.ts'
import { StorageLevel } from './storage-level.ts'

const MANY = 1_000_000

/** The cache as one process writes it. */
function levelOf(session: Session, writer: number): StorageLevel {
  return new StorageLevel(session, 'c', writer)
}

function entry(key: string, generation: number) {
  return { key, value: 1, freshUntil: FOREVER, keepUntil: FOREVER, generation, tags: [] }
}

/** One who reads on from look to look. */
class Looker {
  readonly seen = new Map<string, number>()
  last = 0
  found = 0
  readonly #session: Session
  readonly #writer: number

  constructor(session: Session, writer: number) {
    this.#session = session
    this.#writer = writer
  }

  async look(): Promise<void> {
    const changes = await readChanges(this.#session, this.last, this.#writer, MANY)
    const entries = changes.filter((change) => !tellsLastPlace(change))
    for (const { key, generation } of entries) this.seen.set(key.slice(2), generation)
    this.last = changes.find(tellsLastPlace)?.generation ?? this.last
    this.found = entries.length
  }

  place(): Promise<void> {
    return placeChanges(this.#session, this.#writer)
  }
}

describe.each(testBackends)('the order of changes to caches on $name', ({ fresh }) => {
  let database: FreshTarget
  let session: RootSession

  beforeEach(async () => {
    database = await fresh()
    const models = new Map([[cacheEntries.name, cacheEntries]])
    const backend = (await backendOf(database.target, {}))({ models })
    await backend.open()
    await fitTables(backend.schema, [cacheEntries], true)
    session = new RootSession(backend, models, systemClock)
  })

  afterEach(async () => {
    await session.close()
    await database.drop()
  })

  it('gives what others wrote until it has a place, and then once more; never what one wrote oneself', async () => {
    const looker = new Looker(session, 5)
    // Less and greater than one's own number.
    for (const writer of [1, 5, 9]) await levelOf(session, writer).write([entry(`by${writer}`, writer)])
    for (let n = 0; n < 3; n++) {
      await looker.look()
      expect([Object.fromEntries(looker.seen), looker.found]).toEqual([{ by1: 1, by9: 9 }, 2])
    }
    await looker.place()
    await looker.look()
    expect([looker.found, looker.last]).toEqual([2, 1])
    await looker.look()
    expect(looker.found).toBe(0)
    await levelOf(session, 9).delete('by1')
    await looker.look()
    expect([looker.found, looker.seen.get('by1') === 1]).toEqual([1, false])
  })

  it('holds a change that was written first and committed last, after others were given places', async () => {
    const looker = new Looker(session, 5)
    const written = Promise.withResolvers<void>()
    const others = Promise.withResolvers<void>()
    const late = session.transaction(async (tx) => {
      await levelOf(tx, 1).write([entry('late', 7)])
      written.resolve()
      // Where one writer runs at a time, nobody else can commit meanwhile.
      if (session.traits.skipsLocked) await others.promise
    })
    await written.promise
    await levelOf(session, 2).write([entry('early', 8)])
    await looker.place()
    await looker.look()
    others.resolve()
    await late
    await looker.look()
    expect(Object.fromEntries(looker.seen)).toMatchObject({ early: 8, late: 7 })
  })

  it('misses nothing while many write, delete and give places at once', async () => {
    const acknowledged = new Map<string, number>()
    let writing = true
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      const key = `k${writer}`
      for (let n = 1; n <= 40; n++) {
        const work = (tx: Session) => levelOf(tx, writer + 1).write([entry(key, n), entry(`${key}-${n}`, n)])
        if (n % 2 === 0) await work(session)
        else await session.transaction(work, { isolation: 'read committed' })
        acknowledged.set(key, n)
      }
    })
    const done = Promise.all(writers).finally(() => {
      writing = false
    })
    const placing = [200, 201, 202].map(async (writer) => {
      while (writing) {
        await placeChanges(session, writer)
        await nextTurn()
      }
    })
    const lookers = [new Looker(session, 100), new Looker(session, 101)]
    const looking = lookers.map(async (looker) => {
      while (writing) {
        const before = new Map(acknowledged)
        await looker.look()
        for (const [key, least] of before) expect(looker.seen.get(key) ?? 0).toBeGreaterThanOrEqual(least)
        await nextTurn()
      }
    })
    await Promise.all([done, ...placing, ...looking])
    for (const looker of lookers) {
      await looker.look()
      expect(looker.seen.size).toBe(4 * 41)
      for (const key of acknowledged.keys()) expect(looker.seen.get(key)).toBe(40)
    }
  })
})
