import { describe, expect, it } from 'vitest'
import { memory } from '../backends/memory/index.ts'
import { UnknownOutcomeError } from '../base/errors.ts'
import { type BackendFactory, type CacheOptions, openStorage } from '../index.ts'

const levels: readonly NonNullable<CacheOptions['levels']>[] = [['memory'], ['memory', 'storage']]

describe('a commit whose outcome nobody knows', () => {
  it.each(levels.map((level) => [level.join(' and '), level] as const))(
    'makes memory forget what may be out of date: %s',
    async (_, level) => {
      let lost = false
      const losing: BackendFactory = (context) => {
        const backend = memory()(context)
        const transaction: typeof backend.transaction = async (options, work) => {
          const value = await backend.transaction(options, work)
          if (lost) throw new UnknownOutcomeError(new Error('cut'))
          return value
        }
        return new Proxy(backend, {
          get: (target, name) => {
            if (name === 'transaction') return transaction
            const member = Reflect.get(target, name, target) as unknown
            return typeof member === 'function' ? member.bind(target) : member
          },
        })
      }
      const storage = await openStorage(losing)
      const cache = storage.cache<string>('c', { levels: level })
      await cache.set('a', 'old')
      await cache.set('b', 'old')
      lost = true
      const writing = storage.transaction(async (tx) => {
        await tx.transaction((inner) => inner.cache('c').delete('a'))
        await tx.cache('c').set('b', 'new')
      })
      await expect(writing).rejects.toThrow(UnknownOutcomeError)
      lost = false
      expect(await cache.get('a')).toBe(undefined)
      expect(await cache.get('b')).toBe(level.length > 1 ? 'new' : undefined)
      await storage.close()
    },
  )
})
