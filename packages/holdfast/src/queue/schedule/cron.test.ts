import { describe, expect, it } from 'vitest'
import type { Issue } from '../../base/errors.ts'
import { readCron } from './cron.ts'
import type { TickRule } from './tick-rule.ts'

function rule(cron: string, timezone = 'UTC'): TickRule {
  const issues: Issue[] = []
  const read = readCron(cron, timezone, issues)
  if (read === null) throw new Error(JSON.stringify(issues))
  return read
}

function ticks(cron: string, timezone: string, after: string, count: number): string[] {
  const { next } = rule(cron, timezone)
  const found: string[] = []
  for (let at = next(Date.parse(after)); at !== null && found.length < count; at = next(at))
    found.push(new Date(at).toISOString().slice(5, 16))
  return found
}

describe('a rule where clocks are put back', () => {
  it('ticks once for a list, a range or a step of hours', () => {
    const after = '2026-10-24T22:30:00Z'
    expect(ticks('0 2,14 * * *', 'Europe/Berlin', after, 3)).toEqual(['10-25T00:00', '10-25T13:00', '10-26T01:00'])
    expect(ticks('0 1-3 * * *', 'Europe/Berlin', after, 3)).toEqual(['10-24T23:00', '10-25T00:00', '10-25T02:00'])
    expect(ticks('0 */2 * * *', 'Europe/Berlin', after, 2)).toEqual(['10-25T00:00', '10-25T03:00'])
  })

  it('ticks in both hours when it ticks in every hour, also where they are half hours', () => {
    expect(ticks('*/15 * * * *', 'Australia/Lord_Howe', '2026-04-04T14:35:00Z', 5)).toEqual([
      '04-04T14:45',
      '04-04T15:00',
      '04-04T15:15',
      '04-04T15:30',
      '04-04T15:45',
    ])
  })

  it('gives the next tick when asked from within the second of the hours', () => {
    expect(ticks('30 2 * * *', 'Europe/Berlin', '2026-10-25T01:15:00Z', 1)).toEqual(['10-26T01:30'])
  })
})

describe('a rule where clocks are put forward', () => {
  it('ticks at the jump for all that was jumped over', () => {
    expect(ticks('0 2,14 * * *', 'Europe/Berlin', '2026-03-28T13:30:00Z', 2)).toEqual(['03-29T01:00', '03-29T12:00'])
    expect(ticks('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T00:00:00Z', 2)).toEqual([
      '10-03T15:30',
      '10-04T15:15',
    ])
  })

  it('ticks on a day that begins at one o’clock, and once for a day that never was', () => {
    expect(ticks('0 0 * * *', 'America/Sao_Paulo', '2018-11-03T12:00:00Z', 2)).toEqual(['11-04T03:00', '11-05T02:00'])
    expect(ticks('0 0 * * *', 'Pacific/Apia', '2011-12-29T00:00:00Z', 3)).toEqual([
      '12-29T10:00',
      '12-30T10:00',
      '12-31T10:00',
    ])
  })
})

// A second way to the same ticks: every minute of ten years' changes, looked at one by one.
describe.each(['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca'])('in %s', (zone) => {
  const minutes = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', minute: 'numeric' })

  it.each([2, 3, 4, 9, 10, 11])('a rule of every hour ticks exactly where its minute shows, in month %i', (month) => {
    const start = Date.UTC(2026, month, 1)
    const end = Date.UTC(2026, month + 1, 1)
    const shown: number[] = []
    for (let at = start; at < end; at += 60_000) if (minutes.format(at) === '20') shown.push(at)
    const { next } = rule('20 * * * *', zone)
    const found: number[] = []
    for (let at = next(start - 1); at !== null && at < end; at = next(at)) found.push(at)
    expect(found).toEqual(shown)
  })
})

describe('the ticks of a span', () => {
  it('are the last ones, from a tick on, however long ago that was', () => {
    const { next, between } = rule('*/10 * * * *')
    const first = next(Date.UTC(2000, 0, 1)) as number
    const last = Date.UTC(2026, 0, 1, 0, 5)
    expect(between(first, last, 2)).toEqual([Date.UTC(2025, 11, 31, 23, 50), Date.UTC(2026, 0, 1)])
    expect(between(first, first, 5)).toEqual([first])
    expect(between(first, first + 1_200_000, 5)).toEqual([first, first + 600_000, first + 1_200_000])
  })
})

it('a name stands for its fields', () => {
  expect(ticks('@weekly', 'UTC', '2026-03-02T00:00:00Z', 1)).toEqual(
    ticks('0 0 * * 0', 'UTC', '2026-03-02T00:00:00Z', 1),
  )
})
