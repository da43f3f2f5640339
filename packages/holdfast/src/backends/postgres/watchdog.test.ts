import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Watchdog } from './watchdog.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('tells of what takes too long, once, and of what ends in time never', () => {
  const watchdog = new Watchdog()
  const late = vi.fn()
  watchdog.begin(100, late)
  vi.advanceTimersByTime(99)
  watchdog.end()
  vi.advanceTimersByTime(1_000)
  expect(late).not.toHaveBeenCalled()
  watchdog.begin(100, late)
  vi.advanceTimersByTime(98)
  expect(late).not.toHaveBeenCalled()
  vi.advanceTimersByTime(2)
  expect(late).toHaveBeenCalledOnce()
  vi.advanceTimersByTime(1_000)
  expect(late).toHaveBeenCalledOnce()
})

it('counts for each from its own beginning, whether it may take longer or less long than the one before', () => {
  const watchdog = new Watchdog()
  const [first, second, third] = [vi.fn(), vi.fn(), vi.fn()]
  watchdog.begin(100, first)
  vi.advanceTimersByTime(60)
  watchdog.begin(100, second)
  vi.advanceTimersByTime(98)
  expect(second).not.toHaveBeenCalled()
  watchdog.begin(10, third)
  vi.advanceTimersByTime(10)
  expect([first, second, third].map((late) => late.mock.calls.length)).toEqual([0, 0, 1])
})

it('uses one timer for many', () => {
  const watchdog = new Watchdog()
  for (let n = 0; n < 100; n++) {
    watchdog.begin(1_000, vi.fn())
    vi.advanceTimersByTime(1)
    watchdog.end()
  }
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(1_000)
  expect(vi.getTimerCount()).toBe(0)
})
