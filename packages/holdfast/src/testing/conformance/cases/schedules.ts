import assert from 'node:assert/strict'
import type { Schedule } from '../../../queue/index.ts'
import { defineSchema, queue } from '../../../schema/index.ts'
import { pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({ reports: queue<{ n: number }>() })

const HOUR_MS = 3_600_000

/** A storage whose time a case sets. */
async function openAt(open: Parameters<ConformanceCase['run']>[0]['open'], start: string) {
  const time = { now: Date.parse(start) }
  const storage = await open(schema, { clock: { now: () => time.now } })
  const reports = storage.queue('reports')
  const ran: string[] = []
  return {
    storage,
    reports,
    /** Goes to a time, drains, and gives the ticks that were run there. */
    async ticksAt(at: string): Promise<string[]> {
      time.now = Date.parse(at)
      ran.length = 0
      await reports.drain(({ runAt }) => {
        ran.push(secondOf(runAt))
      })
      return ran.toSorted()
    },
    time,
  }
}

/** A time, short enough to compare at a glance. */
function secondOf(time: Date | number): string {
  return new Date(time).toISOString().slice(5, 19)
}

/** When a schedule ticks next, in milliseconds. */
function timeOf({ nextAt }: Schedule): number {
  assert.ok(nextAt !== null, 'it is not over')
  return nextAt.getTime()
}

export const scheduleCases: readonly ConformanceCase[] = [
  {
    id: 'schedules/ticks',
    title: 'A schedule makes one job at each tick, with its payload and options, and none before',
    async run({ open }) {
      const { reports, ticksAt } = await openAt(open, '2026-03-01T10:00:30Z')
      const made = await reports.schedule('hourly', '0 * * * *', { n: 1 }, { priority: 3, maxAttempts: 2 })
      assert.deepEqual(
        [made.name, made.timezone, made.catchUp, made.nextAt, made.lastAt, made.data],
        ['hourly', 'UTC', 'last', new Date('2026-03-01T11:00:00Z'), null, { n: 1 }],
      )
      assert.deepEqual(await ticksAt('2026-03-01T10:59:59Z'), [])
      assert.deepEqual(await ticksAt('2026-03-01T11:00:00Z'), ['03-01T11:00:00'])
      assert.deepEqual(await ticksAt('2026-03-01T11:00:01Z'), [])
      const [job] = await reports.list({ state: 'completed' })
      assert.deepEqual([job?.data, job?.priority, job?.maxAttempts], [{ n: 1 }, 3, 2])
      const [listed] = await reports.schedules()
      assert.deepEqual(
        [listed?.nextAt, listed?.lastAt],
        [new Date('2026-03-01T12:00:00Z'), new Date('2026-03-01T11:00:00Z')],
      )
    },
  },
  {
    id: 'schedules/seconds',
    title: 'A sixth field, in front, counts seconds',
    async run({ open }) {
      const { reports, ticksAt } = await openAt(open, '2026-03-01T10:00:00Z')
      await reports.schedule('often', '*/20 * * * * *', { n: 1 }, { catchUp: 'all' })
      assert.deepEqual(await ticksAt('2026-03-01T10:01:00Z'), ['03-01T10:00:20', '03-01T10:00:40', '03-01T10:01:00'])
    },
  },
  {
    id: 'schedules/catch-up',
    title: 'Of missed ticks `last` makes up for the latest, `all` for the latest so many, and `none` for none',
    async run({ open }) {
      const { reports, ticksAt } = await openAt(open, '2026-03-01T10:00:30Z')
      const every = '0 * * * *'
      await reports.schedule('last', every, { n: 1 })
      assert.deepEqual(await ticksAt('2026-03-01T15:30:00Z'), ['03-01T15:00:00'])
      assert.deepEqual(await ticksAt('2026-03-01T15:40:00Z'), [])
      await reports.unschedule('last')
      assert.equal((await reports.schedule('all', every, { n: 2 }, { catchUp: true })).catchUp, 'all')
      await reports.schedule('all', every, { n: 2 }, { catchUp: 'all', catchUpLimit: 3 })
      assert.deepEqual(await ticksAt('2026-03-01T17:30:00Z'), ['03-01T16:00:00', '03-01T17:00:00'])
      assert.deepEqual(await ticksAt('2026-03-02T01:30:00Z'), ['03-01T23:00:00', '03-02T00:00:00', '03-02T01:00:00'])
      await reports.unschedule('all')
      assert.equal((await reports.schedule('none', every, { n: 3 }, { catchUp: false })).catchUp, 'none')
      assert.deepEqual(await ticksAt('2026-03-02T05:30:00Z'), [])
      assert.deepEqual(await ticksAt('2026-03-02T06:00:59Z'), ['03-02T06:00:00'])
      assert.deepEqual(
        (await reports.schedules()).map(({ nextAt }) => nextAt),
        [new Date('2026-03-02T07:00:00Z')],
      )
    },
  },
  {
    id: 'schedules/interval',
    title: 'A schedule by an interval ticks at multiples of it, counted from when it was declared',
    async run({ open }) {
      const { reports, ticksAt, time } = await openAt(open, '2026-03-01T10:00:00Z')
      const declare = (n: number, catchUp?: 'all' | 'none') =>
        reports.schedule('steady', { everyMs: HOUR_MS }, { n }, { catchUpLimit: 2, ...(catchUp && { catchUp }) })
      const made = await declare(1)
      assert.deepEqual([made.cron, made.everyMs, made.lastAt], [null, HOUR_MS, null])
      // The database's clock has gone on a little.
      const first = timeOf(made)
      assert.ok(first >= Date.parse('2026-03-01T11:00:00Z') && first < Date.parse('2026-03-01T11:30:00Z'))
      const tick = (at: number) => secondOf(first + at * HOUR_MS)
      const ticksAfter = (hours: number) => ticksAt(new Date(first + hours * HOUR_MS).toISOString())
      assert.deepEqual(await ticksAfter(-0.5), [])
      assert.deepEqual(await ticksAfter(0), [tick(0)])
      // Whoever declares it again, late, in another process, goes on with the same ticks.
      time.now = first + HOUR_MS / 4
      assert.equal(timeOf(await declare(2, 'all')), first + HOUR_MS)
      assert.deepEqual(await ticksAfter(4.5), [tick(3), tick(4)])
      const [listed] = await reports.schedules()
      assert.deepEqual(
        [listed?.everyMs, listed?.nextAt, listed?.lastAt],
        [HOUR_MS, new Date(first + 5 * HOUR_MS), new Date(first + 4 * HOUR_MS)],
      )
      await declare(3)
      assert.deepEqual(await ticksAfter(7.5), [tick(7)])
      await declare(4, 'none')
      assert.deepEqual(await ticksAfter(9.5), [])
      assert.deepEqual(await ticksAfter(10), [tick(10)])
    },
  },
  {
    id: 'schedules/interval-changed',
    title: 'A changed interval is counted from its change, and a tick that was due before is not lost',
    async run({ open }) {
      const { reports, ticksAt, time } = await openAt(open, '2026-03-01T10:00:00Z')
      const declare = async (hours: number) =>
        timeOf(await reports.schedule('report', { everyMs: hours * HOUR_MS }, { n: hours }))
      const isAt = (at: number, wanted: string) => {
        const late = at - Date.parse(wanted)
        assert.ok(late >= 0 && late < HOUR_MS / 4, `${new Date(at).toISOString()} is not ${wanted}`)
      }
      isAt(await declare(2), '2026-03-01T12:00:00Z')
      time.now = Date.parse('2026-03-01T10:30:00Z')
      isAt(await declare(1), '2026-03-01T11:30:00Z')
      // Due, and not fired.
      time.now = Date.parse('2026-03-01T12:00:00Z')
      const due = await declare(3)
      isAt(due, '2026-03-01T12:00:00Z')
      assert.deepEqual(await ticksAt('2026-03-01T13:00:00Z'), [secondOf(due)])
      isAt(await declare(3), '2026-03-01T15:00:00Z')
      const named = await reports.schedule('report', '0 * * * *', { n: 0 }, { timezone: 'Europe/Berlin' })
      assert.deepEqual([named.cron, named.everyMs, named.nextAt], ['0 * * * *', null, new Date('2026-03-01T14:00:00Z')])
      isAt(await declare(3), '2026-03-01T16:00:00Z')
      // A clock that is set back repeats nothing.
      time.now = Date.parse('2026-03-01T11:30:00Z')
      assert.ok((await declare(1)) > due)
    },
  },
  {
    id: 'schedules/period',
    title: 'A schedule ticks within its period, both ends of which belong to it; then it is over, and stays listed',
    async run({ open }) {
      const { reports, ticksAt } = await openAt(open, '2026-03-01T10:00:30Z')
      const [from, until] = [new Date('2026-03-03T00:00:00Z'), new Date('2026-03-06T00:00:00Z')]
      const declare = (bounds: object) => reports.schedule('sale', '@daily', { n: 1 }, bounds)
      const made = await declare({ from, until })
      assert.deepEqual([made.from, made.until, made.nextAt], [from, until, from])
      assert.deepEqual(await ticksAt('2026-03-02T23:59:59Z'), [])
      assert.deepEqual(await ticksAt('2026-03-03T00:00:00Z'), ['03-03T00:00:00'])
      // It ends while nobody is there to see it.
      assert.deepEqual(await ticksAt('2026-03-09T12:00:00Z'), ['03-06T00:00:00'])
      assert.deepEqual(await ticksAt('2026-03-19T12:00:00Z'), [])
      assert.equal((await declare({ from, until })).nextAt, null)
      const [listed] = await reports.schedules()
      assert.deepEqual([listed?.name, listed?.nextAt, listed?.lastAt], ['sale', null, until])
      const longer = await declare({ until: new Date('2026-03-20T12:00:00Z') })
      assert.deepEqual([longer.from, longer.nextAt], [null, new Date('2026-03-20T00:00:00Z')])
      assert.deepEqual((await declare({})).until, null)
      assert.deepEqual(await ticksAt('2026-03-22T00:00:00Z'), ['03-22T00:00:00'])
      assert.equal((await declare({ until })).nextAt, null)
      assert.deepEqual(await ticksAt('2026-03-25T00:00:00Z'), [])
    },
  },
  {
    id: 'schedules/period-of-an-interval',
    title: 'An interval with a beginning is counted from it, whether that is to come or long past',
    async run({ open }) {
      const { reports, ticksAt } = await openAt(open, '2026-03-01T10:00:00Z')
      const declare = (bounds: object) => reports.schedule('steady', { everyMs: HOUR_MS }, { n: 1 }, bounds)
      const ahead = await declare({ from: new Date('2026-03-01T12:20:00Z'), until: new Date('2026-03-01T14:00:00Z') })
      assert.deepEqual(ahead.nextAt, new Date('2026-03-01T12:20:00Z'))
      const past = { from: new Date('2025-03-01T00:15:00Z') }
      assert.deepEqual((await declare(past)).nextAt, new Date('2026-03-01T10:15:00Z'))
      assert.deepEqual(await ticksAt('2026-03-01T10:20:00Z'), ['03-01T10:15:00'])
      assert.deepEqual((await declare(past)).nextAt, new Date('2026-03-01T11:15:00Z'))
      assert.equal((await declare({ until: new Date('2026-03-01T10:20:00Z') })).nextAt, null)
      assert.deepEqual(await ticksAt('2026-03-02T00:00:00Z'), [])
    },
  },
  {
    id: 'schedules/many-missed',
    title: 'Millions of missed ticks are caught up with as fast as a few',
    async run({ open }) {
      const { reports, ticksAt } = await openAt(open, '2020-03-01T10:00:00Z')
      await reports.schedule('often', '* * * * * *', { n: 1 }, { catchUp: 'all', catchUpLimit: 2 })
      assert.deepEqual(await ticksAt('2026-03-01T10:00:00Z'), ['03-01T09:59:59', '03-01T10:00:00'])
      await reports.unschedule('often')
      const steady = await reports.schedule('steady', { everyMs: 60_000 }, { n: 2 })
      const last = timeOf(steady) + 3_000_000 * 60_000
      assert.deepEqual(await ticksAt(new Date(last).toISOString()), [secondOf(last)])
    },
  },
  {
    id: 'schedules/zone',
    title: 'A schedule goes by the clocks of its zone, summer and winter',
    async run({ open }) {
      const { reports, ticksAt } = await openAt(open, '2026-01-15T00:00:00Z')
      await reports.schedule('morning', '30 9 * * *', { n: 1 }, { timezone: 'Europe/Berlin' })
      assert.deepEqual(await ticksAt('2026-01-15T08:30:00Z'), ['01-15T08:30:00'])
      assert.deepEqual(await ticksAt('2026-07-15T07:30:00Z'), ['07-15T07:30:00'])
    },
  },
  {
    id: 'schedules/clocks-back',
    title: 'In an hour that comes twice a named time ticks once, and a schedule of every hour each time',
    async run({ open }) {
      const { reports, ticksAt } = await openAt(open, '2026-10-24T20:00:00Z')
      const options = { timezone: 'Europe/Berlin', catchUp: 'all' } as const
      await reports.schedule('named', '30 2 * * *', { n: 1 }, options)
      assert.deepEqual(await ticksAt('2026-10-25T12:00:00Z'), ['10-25T00:30:00'])
      await reports.unschedule('named')
      const again = await openAt(open, '2026-10-24T23:00:00Z')
      await again.reports.schedule('every', '15 * * * *', { n: 1 }, options)
      assert.deepEqual(await again.ticksAt('2026-10-25T03:00:00Z'), [
        '10-24T23:15:00',
        '10-25T00:15:00',
        '10-25T01:15:00',
        '10-25T02:15:00',
      ])
    },
  },
  {
    id: 'schedules/clocks-forward',
    title: 'A named time that is jumped over ticks once, at the jump; a schedule of every hour has none there',
    async run({ open }) {
      const { reports, ticksAt } = await openAt(open, '2026-03-28T12:00:00Z')
      const options = { timezone: 'Europe/Berlin', catchUp: 'all' } as const
      await reports.schedule('named', '*/30 2 * * *', { n: 1 }, options)
      assert.deepEqual(await ticksAt('2026-03-29T12:00:00Z'), ['03-29T01:00:00'])
      await reports.unschedule('named')
      const again = await openAt(open, '2026-03-29T00:00:00Z')
      await again.reports.schedule('every', '15 * * * *', { n: 1 }, options)
      assert.deepEqual(await again.ticksAt('2026-03-29T02:30:00Z'), [
        '03-29T00:15:00',
        '03-29T01:15:00',
        '03-29T02:15:00',
      ])
    },
  },
  {
    id: 'schedules/declared-again',
    title: 'Declaring a schedule again neither moves its tick nor repeats one; a changed one takes its due tick along',
    async run({ open }) {
      const { reports, ticksAt, time } = await openAt(open, '2026-03-01T10:00:30Z')
      await reports.schedule('report', '0 * * * *', { n: 1 })
      time.now = Date.parse('2026-03-01T11:00:05Z')
      const same = await reports.schedule('report', '0 * * * *', { n: 2 }, { catchUp: 'all' })
      assert.deepEqual([same.nextAt, same.data], [new Date('2026-03-01T11:00:00Z'), { n: 2 }])
      const changed = await reports.schedule('report', '0,30 * * * *', { n: 3 })
      assert.deepEqual(changed.nextAt, new Date('2026-03-01T11:00:00Z'))
      assert.deepEqual(await ticksAt('2026-03-01T11:00:05Z'), ['03-01T11:00:00'])
      await reports.schedule('report', '0 * * * *', { n: 4 })
      await reports.schedule('report', '0,30 * * * *', { n: 5 })
      assert.deepEqual(await ticksAt('2026-03-01T11:00:10Z'), [])
      // A clock that is set back repeats nothing.
      time.now = Date.parse('2026-03-01T10:59:58Z')
      assert.deepEqual(
        (await reports.schedule('report', '0 * * * *', { n: 6 })).nextAt,
        new Date('2026-03-01T12:00:00Z'),
      )
      assert.equal((await reports.schedules()).length, 1)
    },
  },
  {
    id: 'schedules/overlap',
    title: 'With a key, a tick makes no job while that of an earlier one is live',
    async run({ open }) {
      const { reports, time } = await openAt(open, '2026-03-01T10:00:30Z')
      await reports.schedule('report', '0 * * * *', { n: 1 }, { key: 'one at a time', catchUp: 'all' })
      time.now += 3 * HOUR_MS
      let ran = 0
      await reports.drain(() => {
        ran++
      })
      assert.equal(ran, 1)
    },
  },
  {
    id: 'schedules/job-options',
    title: 'The jobs of a schedule are as it says: their group, tags, attempts and bounds',
    async run({ open }) {
      const { reports, time } = await openAt(open, '2026-03-01T10:00:30Z')
      const backoff = { kind: 'fixed', firstMs: 5_000, jitter: 0 } as const
      const bounds = { timeoutMs: 9_000, startWithinMs: HOUR_MS / 2 }
      const options = { priority: 3, group: 'g', tags: ['nightly', 'x'], maxAttempts: 2, backoff, ...bounds }
      await reports.schedule('report', '0 * * * *', { n: 1 }, { ...options, catchUp: 'all' })
      time.now += 2 * HOUR_MS
      const seen: unknown[] = []
      await reports.drain(({ priority, group, tags, maxAttempts, settings, runAt }) => {
        seen.push({ priority, group, tags, maxAttempts, ...settings, hour: runAt.getUTCHours() })
      })
      // The first of the two came too late.
      assert.deepEqual(seen, [{ ...options, hour: 12 }])
      assert.equal((await reports.list({ state: 'failed', tags: ['nightly'] })).length, 1)
      // Nothing but what is said again stays.
      await reports.schedule('report', '0 * * * *', { n: 1 })
      time.now += HOUR_MS
      const plain: unknown[] = []
      await reports.drain((job) => void plain.push([job.group, job.tags]))
      assert.deepEqual(plain, [[null, []]])
    },
  },
  {
    id: 'schedules/in-a-transaction',
    title: 'A schedule that is made or taken away in a transaction is so exactly when it commits',
    async run({ open }) {
      const { storage, reports } = await openAt(open, '2026-03-01T10:00:30Z')
      const failing = storage.transaction(async (tx) => {
        await tx.queue('reports').schedule('a', '@daily', { n: 1 })
        throw new Error('mine')
      })
      await assert.rejects(failing, /mine/)
      assert.deepEqual(await reports.schedules(), [])
      await storage.transaction(async (tx) => {
        await tx.queue('reports').schedule('b', '@daily', { n: 1 })
        await tx.queue('reports').schedule('a', '@weekly', { n: 1 })
      })
      assert.deepEqual(pick(await reports.schedules(), 'name'), ['a', 'b'])
      assert.deepEqual([await reports.unschedule('a'), await reports.unschedule('a')], [true, false])
    },
  },
  {
    id: 'schedules/raced',
    title: 'Ten who look at once fire a tick once, and ten who declare it make one schedule',
    async run({ open }) {
      const { reports, time } = await openAt(open, '2026-03-01T10:00:30Z')
      await Promise.all(Array.from({ length: 10 }, (_, n) => reports.schedule('report', '0 * * * *', { n })))
      await Promise.all(Array.from({ length: 10 }, (_, n) => reports.schedule('often', { everyMs: HOUR_MS }, { n })))
      assert.equal((await reports.schedules()).length, 2)
      time.now += HOUR_MS
      let ran = 0
      const drain = () =>
        reports.drain(() => {
          ran++
        })
      await Promise.all(Array.from({ length: 10 }, drain))
      assert.equal(ran, 2)
    },
  },
  {
    id: 'schedules/refused',
    title: 'An invalid expression, interval, zone or option is refused, and no schedule made',
    async run({ open }) {
      const { reports } = await openAt(open, '2026-03-01T10:00:30Z')
      const bad: readonly (readonly [unknown, unknown, string])[] = [
        [undefined, {}, 'cron'],
        [null, {}, 'cron'],
        [30_000, {}, 'cron'],
        [{}, {}, 'everyMs'],
        [[30_000], {}, 'cron'],
        [{ everyMs: 0 }, {}, 'everyMs'],
        [{ everyMs: 0.5 }, {}, 'everyMs'],
        [{ everyMs: Number.NaN }, {}, 'everyMs'],
        [{ everyMs: Number.MAX_SAFE_INTEGER }, {}, 'everyMs'],
        [{ everyMs: '30000' }, {}, 'everyMs'],
        [
          Object.defineProperty({}, 'everyMs', { enumerable: true, get: () => assert.fail('looked at') }),
          {},
          'everyMs',
        ],
        [{ everyMs: 1_000, cron: '* * * * *' }, {}, 'cron'],
        [{ everyMs: 1_000 }, { timezone: 'UTC' }, 'timezone'],
        [{ everyMs: 1_000 }, { key: '' }, 'key'],
        ['* * * *', {}, 'cron'],
        ['60 * * * *', {}, 'cron'],
        ['0 0 30 2 *', {}, 'cron'],
        ['2026-11-22T10:00:00', {}, 'cron'],
        ['* * * * *', { timezone: 'Mars/Olympus' }, 'timezone'],
        ['* * * * *', { timezone: null }, 'timezone'],
        ['* * * * *', { catchUp: 'some' }, 'catchUp'],
        ['* * * * *', { catchUp: null }, 'catchUp'],
        ['* * * * *', { from: 'tomorrow' }, 'from'],
        ['* * * * *', { until: new Date(Number.NaN) }, 'until'],
        ['* * * * *', { from: new Date(2), until: new Date(1) }, 'until'],
        ['* * * * *', { catchUpLimit: 0 }, 'catchUpLimit'],
        ['* * * * *', { maxAttempts: 0 }, 'maxAttempts'],
        ['* * * * *', { delayMs: 5 }, 'delayMs'],
        ['* * * * *', { after: ['x'] }, 'after'],
        ['* * * * *', { tags: 'x' }, 'tags'],
      ]
      for (const [when, options, path] of bad)
        await refused(() => reports.schedule('x', wrong(when), { n: 1 }, wrong(options)), {
          code: 'VALIDATION',
          paths: [path],
        })
      await refused(() => reports.schedule('', '* * * * *', { n: 1 }), { code: 'VALIDATION', paths: ['name'] })
      await refused(() => reports.schedule('x', '* * * * *', wrong({ n: 1n })), {
        code: 'VALIDATION',
        paths: ['data.n'],
      })
      assert.deepEqual(await reports.schedules(), [])
    },
  },
]
