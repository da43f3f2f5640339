import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { TestDatabase } from '../../../../../test/postgres-database.ts'
import type { Backend } from '../../backend/index.ts'
import { ConfigurationError } from '../../base/errors.ts'
import { defineSchema } from '../../schema/index.ts'
import { type Client, loadDriver } from './driver.ts'
import { postgres } from './index.ts'
import { Listener } from './listener.ts'
import { Notifier } from './notifier.ts'

const schema = defineSchema({})
const LISTENING = "query in ('listen holdfast', 'select 1')"

let database: TestDatabase
let backend: Backend

beforeAll(async () => {
  database = await TestDatabase.create()
  backend = await database.open(schema)
})
afterAll(() => database[Symbol.asyncDispose]())

/** A callback and the promise of its next call. */
function waker() {
  let called = Promise.withResolvers<void>()
  const onWake = vi.fn(() => {
    called.resolve()
    called = Promise.withResolvers()
  })
  return { onWake, next: () => called.promise }
}

describe('a wake-up', () => {
  it('reaches those who wait for the topic, here and in other processes, and nobody else', async () => {
    const elsewhere = await database.open(schema)
    const [here, there, other] = [waker(), waker(), waker()]
    await backend.wake?.('mail', here.onWake)
    await elsewhere.wake?.('mail', there.onWake)
    await elsewhere.wake?.('other', other.onWake)
    const both = Promise.all([here.next(), there.next()])
    await backend.notify?.('mail')
    await both
    expect(other.onWake).not.toHaveBeenCalled()
    await elsewhere.close()
  })

  it('reaches everybody who subscribed, until they end it', async () => {
    const [first, second] = [waker(), waker()]
    const end = await backend.wake?.('shared', first.onWake)
    await backend.wake?.('shared', second.onWake)
    await end?.()
    const woken = second.next()
    await backend.notify?.('shared')
    await woken
    expect(first.onWake).not.toHaveBeenCalled()
  })

  it('works for topics of any length and with any characters', async () => {
    for (const topic of ['x'.repeat(10_000), `it's "😀" \\ ,{}`, '']) {
      const { onWake, next } = waker()
      await backend.wake?.(topic, onWake)
      const woken = next()
      await backend.notify?.(topic)
      await woken
    }
  })
})

describe('a listening connection', () => {
  it('that the server ends is made again, and everybody wakes', async () => {
    const listening = await database.open(schema)
    const [mail, other] = [waker(), waker()]
    await listening.wake?.('mail', mail.onWake)
    await listening.wake?.('other', other.onWake)
    const woken = Promise.all([mail.next(), other.next()])
    await database.terminate(LISTENING)
    await woken
    const again = mail.next()
    await backend.notify?.('mail')
    await again
    await listening.close()
  })

  it('that is cut is tried again until the server can be reached', async () => {
    const { proxy, url } = await database.proxy()
    const listening = await database.open(schema, { url, connectionTimeoutMs: 1_000 })
    const { onWake, next } = waker()
    await listening.wake?.('mail', onWake)
    const woken = next()
    proxy.blackhole()
    proxy.cutAll()
    await expect.poll(() => proxy.connections).toBeGreaterThan(0)
    proxy.heal()
    proxy.cutAll()
    await woken
    await listening.close()
  })

  it('that has gone silent is noticed', async () => {
    const { proxy, url } = await database.proxy()
    const { Client } = await loadDriver()
    const clients: Client[] = []
    const connect = () => {
      const client = new Client({ connectionString: url, connectionTimeoutMillis: 200 })
      clients.push(client)
      return client
    }
    const listener = new Listener(connect, { pingMs: 50, answerMs: 50, longestPauseMs: 100 })
    const { onWake, next } = waker()
    await listener.add('mail', onWake)
    proxy.blackhole()
    const woken = next()
    await expect.poll(() => clients.length).toBeGreaterThan(1)
    proxy.heal()
    await woken
    await listener.close()
  })

  it('that cannot be made does not keep anybody waiting', async () => {
    const { Client } = await loadDriver()
    const listener = new Listener(() => new Client({ connectionString: 'postgres://localhost:1/nowhere' }))
    await listener.add('mail', () => undefined)
    await listener.close()
  })

  it('is closed with the backend, also while it pauses', async () => {
    const { proxy, url } = await database.proxy()
    const listening = await database.open(schema, { url })
    await listening.wake?.('mail', () => undefined)
    await proxy.close()
    await expect.poll(() => proxy.connections).toBe(0)
    await listening.close()
  })
})

describe('a URL to listen at', () => {
  it.each(['oracle://x', 'postgres://me:se/cret@host/app'])('that leads nowhere is refused: %s', (listenUrl) => {
    expect(() => postgres({ url: database.url.href, listenUrl })).toThrow(ConfigurationError)
  })
})

describe('notifications', () => {
  it('of one moment are sent once for each topic, a few at once and more together', async () => {
    const sent: string[][] = []
    const notifier = new Notifier(async (payloads) => {
      sent.push([...payloads])
    })
    for (const topic of ['a', 'b', 'c', 'd']) await notifier.notify(topic)
    expect(sent).toEqual([['a'], ['b'], ['c'], ['d']])
    const first = notifier.notify('e')
    const others = ['b', 'e', 'b'].map((topic) => notifier.notify(topic))
    await Promise.all([first, ...others])
    expect(sent.slice(4)).toEqual([['e', 'b']])
  })

  it('that fail tell those who wait for them, and the next are sent', async () => {
    const broken = new Error('broken')
    const send = vi.fn().mockRejectedValueOnce(broken).mockResolvedValue(undefined)
    const notifier = new Notifier(send)
    await expect(notifier.notify('a')).rejects.toBe(broken)
    await notifier.notify('a')
    await notifier.drained()
  })
})
