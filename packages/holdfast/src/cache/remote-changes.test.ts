import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Plan, Row, Session } from '../backend/index.ts'
import { systemClock } from '../base/clock.ts'
import { UNPLACED } from './change-order.ts'
import { RemoteChanges } from './remote-changes.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const OWN = 7

/** A database of which only the rows that changed are seen, and a memory that writes down what it is told. */
function follow() {
  const told: unknown[] = []
  const asked: { readonly name: string; readonly parameters: readonly unknown[] }[] = []
  let rows: Row[] = []
  let last = 40
  let failure: Error | undefined
  let wake = (): void => undefined
  const session = {
    traits: { sharedBetweenProcesses: true },
    clock: systemClock,
    plan: (name: string, statement: () => unknown) => ({ name, statement: statement(), gathers: false }),
    execute: async ({ name }: Plan & { readonly name: string }, parameters: readonly unknown[]) => {
      asked.push({ name, parameters })
      if (failure !== undefined) throw failure
      if (name === 'cache last place') return { rows: [{ generation: last }], count: 1 }
      if (name === 'cache sweep') return { rows: [], count: rows.length }
      return { rows: name === 'cache changes' ? rows : [], count: 0 }
    },
    transaction: async () => {
      asked.push({ name: 'placing', parameters: [] })
      return 0
    },
    wake: async (_: string, onWake: () => void) => {
      wake = onWake
      return async () => undefined
    },
    notify: () => undefined,
  }
  const remote = new RemoteChanges(session as unknown as Session, OWN)
  remote.follow('c', {
    changed: (key, generation) => told.push(['changed', key, generation]),
    cleared: () => told.push(['cleared']),
    invalidated: (tag) => told.push(['invalidated', tag]),
    failed: (error) => told.push(['failed', error]),
  })
  return {
    remote,
    told,
    hint: () => wake(),
    looks: () => asked.filter(({ name }) => name === 'cache changes'),
    asks: (name: string) => asked.filter((one) => one.name === name).length,
    change: (...changed: [key: string, generation: number, place?: number][]) => {
      rows = changed.map(([key, generation, place = UNPLACED]) => ({
        cache: 'c',
        key,
        longKey: null,
        generation,
        place,
      }))
    },
    place: (place: number) => {
      last = place
      rows.push({ cache: '', key: 'last place', longKey: null, generation: place, place })
    },
    fail: (error: Error | undefined) => {
      failure = error
    },
  }
}

describe('changes of other processes', () => {
  it('are looked up after a hint, in one look for many hints; each counts once, however often it is found', async () => {
    const { remote, told, looks, hint, change } = follow()
    await remote.start()
    change(['s:a', 1], ['n:5', 2], ['c:', 3], ['t:x', 4])
    for (let n = 0; n < 10; n++) hint()
    await vi.advanceTimersByTimeAsync(100)
    expect(told).toEqual([['changed', 'a', 1], ['changed', 5, 2], ['cleared'], ['invalidated', 'x']])
    expect(looks().map(({ parameters }) => parameters)).toEqual([[40, UNPLACED, OWN, 1_000]])
    told.length = 0
    change(['s:a', 7], ['n:5', 2], ['c:', 3], ['t:x', 5])
    hint()
    await vi.advanceTimersByTimeAsync(100)
    expect(told).toEqual([
      ['changed', 'a', 7],
      ['invalidated', 'x'],
    ])
    await remote.close()
  })

  it('are looked up before memory is believed again, five seconds after the last look, when a hint was lost', async () => {
    const { remote, told, looks, change, place } = follow()
    await remote.start()
    await vi.advanceTimersByTimeAsync(4_900)
    expect(remote.trusted).toBe(true)
    await vi.advanceTimersByTimeAsync(200)
    expect([remote.trusted, looks().length]).toEqual([false, 0])
    change(['s:a', 1, 42])
    place(43)
    await Promise.all([remote.compared(), remote.compared()])
    expect([remote.trusted, looks().length, told]).toEqual([true, 1, [['changed', 'a', 1]]])
    await vi.advanceTimersByTimeAsync(5_100)
    await remote.compared()
    // What has a place is behind the next look.
    expect(looks()[1]?.parameters[0]).toBe(43)
    await remote.close()
  })

  it('that are too many to go through put all of memory out, and are given places', async () => {
    const { remote, told, looks, asks, hint, change, place } = follow()
    await remote.start()
    change(...Array.from({ length: 999 }, (_, n): [string, number] => [`s:${n}`, n]))
    place(50)
    hint()
    await vi.advanceTimersByTimeAsync(100)
    expect([told, asks('placing'), asks('cache last place')]).toEqual([[['cleared']], 1, 2])
    change(...Array.from({ length: 101 }, (_, n): [string, number] => [`s:${n}`, n]))
    hint()
    await vi.advanceTimersByTimeAsync(100)
    expect([looks()[1]?.parameters[0], asks('placing')]).toEqual([50, 2])
    await remote.close()
  })

  it('of a long time without a look put all of memory out, since rows may be gone', async () => {
    const { remote, told, change } = follow()
    await remote.start()
    await vi.advanceTimersByTimeAsync(61_000)
    change(['s:a', 1])
    await remote.compared()
    expect(told).toEqual([['cleared']])
    await remote.close()
  })

  it('that cannot be looked up are told as a failure; memory is believed a while longer, and the next look goes back as far', async () => {
    const { remote, told, looks, fail } = follow()
    await remote.start()
    await vi.advanceTimersByTimeAsync(6_000)
    const down = new Error('down')
    fail(down)
    await remote.compared()
    expect([told, remote.trusted]).toEqual([[['failed', down]], true])
    await vi.advanceTimersByTimeAsync(2_000)
    expect(remote.trusted).toBe(false)
    fail(undefined)
    await remote.compared()
    expect(looks()[1]?.parameters[0]).toBe(40)
    await remote.close()
  })
})

describe('rows that are kept no longer', () => {
  it('are removed from time to time, sooner where there are many', async () => {
    const { remote, asks, change } = follow()
    await remote.start()
    const sweeps = () => asks('cache sweep')
    await vi.advanceTimersByTimeAsync(95_000)
    expect(sweeps()).toBeGreaterThan(0)
    expect(sweeps()).toBeLessThan(4)
    change(...Array.from({ length: 500 }, (_, n): [string, number] => [`s:${n}`, n]))
    await vi.advanceTimersByTimeAsync(110_000)
    expect(sweeps()).toBeGreaterThan(8)
    await remote.close()
    const before = sweeps()
    await vi.advanceTimersByTimeAsync(200_000)
    expect(sweeps()).toBe(before)
  })
})
