import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../base/clock.ts'
import { FOREVER, type KeyedEntry, newGeneration } from './entry.ts'
import type { CacheKey } from './key.ts'
import { Levels } from './levels.ts'
import { readOptions } from './options.ts'
import { NOTHING, type SecondLevel } from './second-level.ts'

const KEY = 'k'

function entryOf(value: string): KeyedEntry {
  return { key: KEY, value, freshUntil: FOREVER, keepUntil: FOREVER, generation: newGeneration(), tags: [] }
}

/** A store outside the database: what is asked of it takes a turn of the event loop, in which it answers by what it was when it was asked. */
class Store {
  readonly entries = new Map<CacheKey, KeyedEntry>([[KEY, entryOf('old')]])
  readonly level = {
    rememberedMs: Number.POSITIVE_INFINITY,
    read: async (key: CacheKey) => {
      const entry = this.entries.get(key)
      await turn()
      return entry === undefined ? NOTHING : { entry, generation: entry.generation }
    },
    readMany: (keys: readonly CacheKey[]) => Promise.all(keys.map((key) => this.level.read(key))),
    write: async (entries: readonly KeyedEntry[]) => {
      await turn()
      for (const entry of entries) this.entries.set(entry.key, entry)
    },
    invalidate: async () => undefined,
  }
}

async function microtasks(count: number): Promise<void> {
  for (let at = 0; at < count; at++) await undefined
}

/** Something that begins, and a commit so many microtasks later; gives what memory and the store have in the end. */
async function crossed(begin: (levels: Levels) => Promise<unknown>, later: number): Promise<unknown[]> {
  const store = new Store()
  const second = store.level as unknown as SecondLevel
  const remote = { trusted: true, compared: async () => undefined, tell: () => undefined }
  const host = { clock: systemClock, second, remote, assertUsable: () => undefined }
  const levels = new Levels(readOptions('c', { levels: ['memory', 'storage'] }), host)
  const begun = begin(levels)
  await microtasks(later)
  levels.replay({ cleared: false, tags: new Set(), written: new Map([[KEY, entryOf('committed')]]) })
  await begun
  // Memory stays as it is.
  await levels.readMany([KEY])
  return [levels.hit(KEY)?.copy(), store.entries.get(KEY)?.value]
}

describe('what a transaction committed to a store outside the database', () => {
  const reads = {
    'a read': (levels: Levels) => levels.find(KEY),
    'a read of many': (levels: Levels) => levels.findMany([KEY]),
  }

  it.each(Object.entries(reads))(
    'is not overtaken in memory by what was there before, whenever %s began',
    async (_, read) => {
      for (let later = 0; later < 12; later++) {
        const [inMemory, inStore] = await crossed(read, later)
        expect([undefined, 'committed'], `${later}`).toContain(inMemory)
        expect(inStore, `${later}`).toBe('committed')
      }
    },
  )

  it('is in memory what it is in the store, if it is there, whenever a write began', async () => {
    for (let later = 0; later < 12; later++) {
      const [inMemory, inStore] = await crossed((levels) => levels.write([entryOf('written')]), later)
      expect([undefined, inStore], `${later}`).toContain(inMemory)
    }
  })
})
