import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Plan, Row, Session } from '../backend/index.ts'
import { systemClock } from '../base/clock.ts'
import { RemoteChanges } from './remote-changes.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const OWN = 7

/** A database of which only the rows that changed are seen, and a memory that writes down what it is told. */
function follow() {
  const told: unknown[] = []
  const asked: { readonly kind: string; readonly parameters: readonly unknown[] }[] = []
  let rows: Row[] = []
  let failure: Error | undefined
  let wake = (): void => undefined
  const session = {
    traits: { sharedBetweenProcesses: true },
    clock: systemClock,
    plan: (_: string, statement: () => unknown) => ({ statement: statement(), gathers: false }),
    execute: async (plan: Plan, parameters: readonly unknown[]) => {
      asked.push({ kind: plan.statement.kind, parameters })
      if (failure !== undefined) throw failure
      return { rows, count: plan.statement.kind === 'delete' ? rows.length : 0 }
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
    asked,
    hint: () => wake(),
    change: (...changed: [key: string, generation: number][]) => {
      rows = changed.map(([key, generation]) => ({ cache: 'c', key, longKey: null, generation }))
    },
    fail: (error: Error | undefined) => {
      failure = error
    },
  }
}

describe('changes of other processes', () => {
  it('are looked up after a hint, in one look for many hints; markers count once', async () => {
    const { remote, told, asked, hint, change } = follow()
    await remote.start()
    change(['s:a', 1], ['n:5', 2], ['c:', 3], ['t:x', 4])
    for (let n = 0; n < 10; n++) hint()
    await vi.advanceTimersByTimeAsync(100)
    expect(told).toEqual([['changed', 'a', 1], ['changed', 5, 2], ['cleared'], ['invalidated', 'x']])
    expect(asked.length).toBe(1)
    expect(asked[0]?.parameters[1]).toBe(OWN)
    told.length = 0
    change(['c:', 3], ['t:x', 5])
    hint()
    await vi.advanceTimersByTimeAsync(100)
    expect(told).toEqual([['invalidated', 'x']])
    await remote.close()
  })

  it('are looked up before memory is believed again, five seconds after the last look, when a hint was lost', async () => {
    const { remote, told, asked, change } = follow()
    await remote.start()
    await vi.advanceTimersByTimeAsync(4_900)
    expect(remote.trusted).toBe(true)
    await vi.advanceTimersByTimeAsync(200)
    expect([remote.trusted, asked.length]).toEqual([false, 0])
    change(['s:a', 1])
    await Promise.all([remote.compared(), remote.compared()])
    expect([remote.trusted, asked.length, told]).toEqual([true, 1, [['changed', 'a', 1]]])
    // It looks further back than memory was filled, for writes that took a while to be committed.
    expect(asked[0]?.parameters[0]).toBeLessThanOrEqual(-10_000)
    await remote.close()
  })

  it('that are too many to go through put all of memory out', async () => {
    const { remote, told, hint, change } = follow()
    await remote.start()
    change(...Array.from({ length: 1_000 }, (_, n): [string, number] => [`s:${n}`, n]))
    hint()
    await vi.advanceTimersByTimeAsync(100)
    expect(told).toEqual([['cleared']])
    await remote.close()
  })

  it('that cannot be looked up are told as a failure; memory is believed a while longer, and the next look goes back as far', async () => {
    const { remote, told, asked, fail } = follow()
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
    expect(asked[1]?.parameters[0]).toBeLessThanOrEqual(-13_000)
    await remote.close()
  })
})

describe('rows that are kept no longer', () => {
  it('are removed from time to time, sooner where there are many', async () => {
    const { remote, asked, change } = follow()
    await remote.start()
    const sweeps = () => asked.filter(({ kind }) => kind === 'delete').length
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
