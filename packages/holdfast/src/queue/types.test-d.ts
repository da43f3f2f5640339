// Type tests: `tsc`, which `npm test` runs first, is what checks them.
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { defineSchema, queue } from '../schema/index.ts'
import type { Storage } from '../storage/index.ts'
import { snooze } from './work/endings.ts'
import type { ManyMiddleware } from './work/handler.ts'

const schema = defineSchema({
  resize: queue({
    schema: z.object({ url: z.string(), width: z.number().default(100) }),
    resultSchema: z.object({ bytes: z.number(), kind: z.string().default('png') }),
    version: 2,
    upgrade: (data, fromVersion) => (fromVersion < 2 ? { url: data } : data),
  }),
  mail: queue<{ to: string }, { messageId: string }>(),
  notify: queue<{ to: string }>(),
  checked: queue({ schema: z.object({ to: z.string() }), maxAttempts: 2 }),
})

declare const storage: Storage<typeof schema>

test('payloads are given as the schema takes them, and read as it gives them', () => {
  const resize = storage.queue('resize')
  expectTypeOf(resize.enqueue).parameter(0).toEqualTypeOf<{ url: string; width?: number | undefined }>()
  const job = null as unknown as NonNullable<Awaited<ReturnType<typeof resize.get>>>
  expectTypeOf(job.data).toEqualTypeOf<{ url: string; width: number }>()
})

test('results are returned as their schema takes them, and read as it gives them', () => {
  const resize = storage.queue('resize')
  resize.work(() => ({ bytes: 1 }))
  resize.work(async (job) => (job.data.width > 9 ? snooze(1_000) : { bytes: 1, kind: 'jpeg' }))
  // @ts-expect-error: bytes is missing
  resize.work(() => ({ kind: 'jpeg' }))
  // @ts-expect-error: a handler of this queue has a result
  resize.work(async () => undefined)
  expectTypeOf(resize.waitFor('x')).resolves.toHaveProperty('result').toEqualTypeOf<{
    bytes: number
    kind: string
  } | null>()
  expectTypeOf(resize.acknowledge)
    .parameter(1)
    .toEqualTypeOf<{ bytes: number; kind?: string | undefined } | undefined>()
})

test('a result can be declared by its type alone', () => {
  storage.queue('mail').work((job) => ({ messageId: job.data.to }))
  storage.work({ mail: async () => ({ messageId: 'x' }), notify: () => undefined })
  // @ts-expect-error: no such result
  storage.work({ mail: async () => ({ id: 'x' }) })
  expectTypeOf(storage.queue('mail').waitFor('x')).resolves.toHaveProperty('result').toEqualTypeOf<{
    messageId: string
  } | null>()
})

test('what was not declared may be anything', () => {
  storage.queue('notify').work(() => 7)
  storage.queue('checked').work(async () => ({ any: 'thing' }))
  const notify = storage.queue('notify')
  const job = null as unknown as NonNullable<Awaited<ReturnType<typeof notify.get>>>
  expectTypeOf(job.result).toEqualTypeOf<unknown>()
  const loose = storage.queue<{ n: number }, string>('anything')
  expectTypeOf(loose.enqueue).parameter(0).toEqualTypeOf<{ n: number }>()
  const found = null as unknown as NonNullable<Awaited<ReturnType<typeof loose.get>>>
  expectTypeOf(found.result).toEqualTypeOf<string | null>()
})

test('a handler of many gives what becomes of each', () => {
  const resize = storage.queue('resize')
  resize.workMany((jobs) => jobs.map((job) => ({ bytes: job.data.width })))
  resize.workMany(async (jobs) => jobs.map((_, at) => (at > 0 ? new Error('broken') : snooze(1_000))))
  resize.workMany((jobs) => jobs.map(async () => ({ bytes: 1 })))
  const counted: ManyMiddleware = async (jobs, { signal }, next) => (signal.aborted ? jobs.length : next())
  resize.workMany(() => undefined, { middleware: [counted] })
  resize.workMany(async ([first], { tx }) => {
    await tx.queue('notify').enqueue({ to: first.data.url })
  })
  // @ts-expect-error: bytes is missing
  resize.workMany((jobs) => jobs.map(() => ({ kind: 'png' })))
  storage.work({ mail: { many: (jobs) => jobs.map(({ data }) => ({ messageId: data.to })), batch: 10 } })
  // @ts-expect-error: no such result
  storage.work({ mail: { many: (jobs) => jobs.map(() => ({ id: 1 })) } })
})

test('events of a worker are typed by its queue', () => {
  const resize = storage.queue('resize').work(() => ({ bytes: 1 }))
  resize.on('completed', (job, result) => {
    expectTypeOf(job.data.width).toEqualTypeOf<number>()
    expectTypeOf(result.kind).toEqualTypeOf<string>()
  })
  const workers = storage.work({ mail: () => ({ messageId: 'x' }) })
  workers.byQueue.mail.on('failed', (job) => expectTypeOf(job.data).toEqualTypeOf<{ to: string }>())
})

test('a job has one of five states, and filters know finer ones', () => {
  const mail = storage.queue('mail')
  const job = null as unknown as NonNullable<Awaited<ReturnType<typeof mail.get>>>
  expectTypeOf(job.state).toEqualTypeOf<'waiting' | 'active' | 'completed' | 'failed' | 'cancelled'>()
  expectTypeOf(job.waitsFor).toEqualTypeOf<'worker' | 'time' | 'jobs' | null>()
  mail.list({ state: 'scheduled' })
  mail.page({ state: 'blocked' })
  mail.cancelMany({ state: 'waiting' })
  // @ts-expect-error: what has finished cannot be cancelled
  mail.cancelMany({ state: 'completed' })
  // @ts-expect-error: what waits cannot be tried again
  mail.retryMany({ state: 'scheduled' })
})

test('jobs are chosen by what is in their payloads', () => {
  const resize = storage.queue('resize')
  resize.list({ data: { url: 'x', width: { gt: 5 }, or: [{ url: { startsWith: 'y' } }, { 'deep.path': true }] } })
  resize.cancelMany({ data: { width: { in: [1, 2] } } })
  // @ts-expect-error: there is no such field
  resize.retryMany({ data: { height: 5 } })
  // @ts-expect-error: a width is a number
  resize.page({ data: { width: '5' } })
  // @ts-expect-error: a width is a number
  resize.purge({ data: { not: { width: { eq: '5' } } } })
  const loose = storage.queue('anything')
  loose.list({ data: { any: 'thing', 'of.any': { ne: 7 } } })
})

test('schedules go by an expression or an interval', () => {
  const mail = storage.queue('mail')
  mail.schedule('daily', '@daily', { to: 'x' }, { timezone: 'UTC', catchUp: true })
  mail.schedule('steady', { everyMs: 30_000 }, { to: 'x' }, { catchUp: false })
  // @ts-expect-error: an interval is an object
  mail.schedule('steady', 30_000, { to: 'x' })
  mail.work(async (_, { results }) => {
    expectTypeOf(await results()).toEqualTypeOf<Map<string, unknown>>()
    return { messageId: 'x' }
  })
})
