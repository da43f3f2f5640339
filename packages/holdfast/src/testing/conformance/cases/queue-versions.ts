import assert from 'node:assert/strict'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isHoldfastError } from '../../../base/errors.ts'
import { defineSchema, type QueueDeclaration, type QueueOptions, queue, t, table } from '../../../schema/index.ts'
import { refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'
import { WAYS } from '../ways-of-working.ts'

type Checked<Output> = { readonly value: Output } | { readonly issues: readonly { readonly message: string }[] }

function standard<Input, Output = Input>(
  validate: (value: unknown) => Checked<Output>,
): StandardSchemaV1<Input, Output> {
  return { '~standard': { version: 1, vendor: 'conformance', validate } } as StandardSchemaV1<Input, Output>
}

interface Mail {
  readonly to: readonly string[]
}

const Mail = standard<Mail>((value) => {
  const to = (value as { to?: unknown } | null)?.to
  return Array.isArray(to) ? { value: { to } } : { issues: [{ message: 'to must be a list' }] }
})
const Letter = standard((value) => ({ value: { id: (value as { id: unknown }).id } }))
const Sent = standard<{ id: number }>((value) => {
  const id = (value as { id?: unknown } | null)?.id
  return typeof id === 'number' ? { value: { id } } : { issues: [{ message: 'id must be a number' }] }
})
/** Gives something else than it takes. */
const Length = standard<string, number>((value) =>
  typeof value === 'string' ? { value: value.length } : { issues: [{ message: 'must be text' }] },
)
const Padded = standard<{ n?: number }, { n: number; unit: string }>((value) => ({
  value: { n: 1, unit: 'mm', ...(value as object) },
}))

type Changing = { -readonly [Part in keyof QueueDeclaration]: QueueDeclaration[Part] }

/** A storage whose code can be replaced by another release, since not every backend can be opened twice. */
async function openReleases(open: Parameters<ConformanceCase['run']>[0]['open']) {
  const release: Changing = { kind: 'queue', options: {} }
  const time = { ahead: 0 }
  const storage = await open(
    defineSchema({
      done: table({ id: t.text().primaryKey() }),
      mails: release as QueueDeclaration,
      checked: queue({ schema: Mail, resultSchema: Sent, maxAttempts: 2, backoff: { firstMs: 1_000, jitter: 0 } }),
      measured: queue({ schema: Length }),
      padded: queue({ schema: Padded }),
      small: queue<{ text: string }>({ maxPayloadBytes: 20, maxAttempts: 1, deadLetter: 'mails' }),
    }),
    { clock: { now: () => Date.now() + time.ahead } },
  )
  return {
    storage,
    mails: storage.queue('mails'),
    time,
    deploy(options: QueueOptions, schema?: StandardSchemaV1) {
      release.options = options
      if (schema === undefined) delete release.schema
      else release.schema = schema
    },
  }
}

/** Names what arrived in the payloads of three releases. */
const upgrade = (data: unknown, fromVersion: number): unknown => {
  const { to } = data as { to: unknown }
  if (to === 'nobody') throw new Error('nobody is to get it')
  return fromVersion < 2 ? { to: [to] } : data
}

/** Payloads and results of other code, and of code that is wrong. */
export const queueVersionCases: readonly ConformanceCase[] = [
  {
    id: 'queue/opened',
    title: 'A stored payload that the schema of today refuses makes its job fail for good, and the others are done',
    async run({ open }) {
      const { mails, deploy } = await openReleases(open)
      const old = await mails.enqueue({ to: 'kim' })
      const fine = await mails.enqueue({ to: ['kim'] })
      const mine = await mails.enqueue({ to: 7 }, { priority: 1 })
      deploy({}, Mail)
      assert.equal((await mails.dequeue())?.id, fine.id)
      for (const { id, data } of [old, mine]) {
        const failed = await mails.get(id)
        assert.deepEqual([failed?.state, failed?.attempt, failed?.data], ['failed', 1, data])
        assert.match(failed?.errors[0]?.message ?? '', /data is refused: to must be a list/)
      }
      await mails.enqueue({ to: ['kim'] })
      deploy({})
      await mails.enqueue({ to: 'lee' })
      deploy({}, Mail)
      const ran: unknown[] = []
      const told: unknown[] = []
      const worker = mails.worker((job) => void ran.push(job.data), { mode: 'transaction' })
      worker.on('failed', (_, error, final) => told.push([isHoldfastError(error) && error.code, final]))
      await worker.drain()
      assert.deepEqual([ran, told], [[{ to: ['kim'] }], [['VALIDATION', true]]])
      await mails.enqueue({ to: ['max'] })
      deploy({})
      await mails.enqueue({ to: 'lee' })
      deploy({}, Mail)
      await mails.manyWorker((some) => void ran.push(some.map((job) => job.data))).drain()
      assert.deepEqual(ran.at(-1), [{ to: ['max'] }])
    },
  },
  {
    id: 'queue/upgraded',
    title: 'Payloads of earlier versions are upgraded before they are checked and handled, in either mode, and kept so',
    async run({ open }) {
      const { mails, deploy } = await openReleases(open)
      const first = await mails.enqueue({ to: 'kim' })
      const broken = await mails.enqueue({ to: 'nobody' })
      deploy({ version: 2 })
      await mails.enqueue({ to: ['lee'] })
      const seen: unknown[] = []
      for (const mode of ['lease', 'transaction'] as const) {
        deploy({ version: 3, upgrade }, Mail)
        await mails.worker((job) => void seen.push([job.data, job.version]), { mode }).drain()
        deploy({ version: 1 })
        await mails.enqueue({ to: 'max' })
      }
      assert.deepEqual(seen, [
        [{ to: ['kim'] }, 3],
        [{ to: ['lee'] }, 3],
        [{ to: ['max'] }, 3],
      ])
      const failed = await mails.get(broken.id)
      assert.deepEqual([failed?.state, failed?.version], ['failed', 1])
      assert.match(failed?.errors[0]?.message ?? '', /cannot be brought from version 1 to 3: nobody is to get it/)
      const completed = await mails.get(first.id)
      assert.deepEqual([completed?.data, completed?.version], [{ to: ['kim'] }, 3])
    },
  },
  {
    id: 'queue/upgraded-again',
    title: 'A job that is tried again is upgraded again, from what was enqueued',
    async run({ open }) {
      const { mails, deploy, time } = await openReleases(open)
      const { id } = await mails.enqueue({ to: 'kim' })
      deploy({ version: 2, upgrade }, Mail)
      const seen: unknown[] = []
      for (const mode of ['lease', 'transaction', 'lease'] as const) {
        const fail = (job: { data: unknown }) => {
          seen.push(job.data)
          throw new Error('again')
        }
        await mails.worker(fail, { mode }).drain()
        assert.deepEqual((await mails.get(id))?.data, { to: 'kim' })
        time.ahead += 60_000
      }
      assert.deepEqual(seen, [{ to: ['kim'] }, { to: ['kim'] }, { to: ['kim'] }])
    },
  },
  {
    id: 'queue/upgraded-to-json',
    title:
      'A job fails for good whose payload is upgraded to what is not JSON; what is left out is left out everywhere',
    async run({ open }) {
      const { mails, deploy } = await openReleases(open)
      const gives = {
        big: 1n,
        date: new Date(0),
        later: Promise.resolve({ to: [] }),
        broken: 'a\0b',
        number: Number.NaN,
      }
      const given = new Map<unknown, unknown>(Object.entries(gives))
      const jobs = await mails.enqueueMany([...given.keys()].map((to) => ({ data: { to } })))
      const fine = await mails.enqueue({ to: 'fine' })
      deploy({
        version: 2,
        upgrade: (data) => {
          const { to } = data as { to: unknown }
          return to === 'fine' ? { to, cc: undefined } : { to: given.get(to) }
        },
      })
      const ran: unknown[] = []
      await mails.drain((job) => {
        ran.push(job.data)
        return { sent: true }
      })
      assert.deepEqual(ran, [{ to: 'fine' }])
      for (const { id, data } of jobs) {
        const failed = await mails.get(id)
        assert.deepEqual([failed?.state, failed?.attempt, failed?.data, failed?.version], ['failed', 1, data, 1])
        assert.match(failed?.errors[0]?.message ?? '', /cannot be handled: data\.to /)
      }
      assert.deepEqual((await mails.get(fine.id))?.data, { to: 'fine' })
    },
  },
  {
    id: 'queue/later-versions',
    title: 'Jobs of a later version are left to those who know it, and said so once; the others are done',
    async run({ open }) {
      const { mails, deploy, time } = await openReleases(open)
      deploy({ version: 2 })
      const later = await mails.enqueue({ to: ['kim'] }, { priority: 9 })
      deploy({ version: 1 })
      const own = await mails.enqueue({ to: 'lee' })
      assert.equal(await mails.worker(() => 1, { mode: 'transaction' }).drain(), 1)
      assert.equal(await mails.dequeue(), null)
      const told = Promise.withResolvers<unknown>()
      let times = 0
      const onError = (error: unknown) => {
        times++
        told.resolve(error)
      }
      const worker = mails.work(() => 1, { onError, pollMs: 5 })
      const error = (await told.promise) as Error
      assert.match(error.message, /version 2, and this process knows version 1/)
      time.ahead += 3_600_000
      const next = await mails.enqueue({ to: 'max' })
      await mails.waitFor(next)
      await worker.stop()
      assert.equal(times, 1)
      assert.deepEqual([(await mails.get(own.id))?.state, (await mails.get(later.id))?.state], ['completed', 'waiting'])
      deploy({ version: 2 })
      assert.equal((await mails.dequeue())?.id, later.id)
    },
  },
  {
    id: 'queue/scheduled-versions',
    title: 'A schedule ticks with the payload of the version of whoever fires it, and not where that is too early',
    async run({ open }) {
      const { mails, deploy, time } = await openReleases(open)
      const ticks = async (): Promise<unknown[]> => {
        const seen: unknown[] = []
        time.ahead += 60_000
        await mails.drain((job) => void seen.push([job.data, job.version]))
        return seen
      }
      await mails.schedule('every', '* * * * *', { to: 'kim' })
      assert.deepEqual(await ticks(), [[{ to: 'kim' }, 1]])
      deploy({ version: 2, upgrade }, Mail)
      assert.deepEqual(await ticks(), [[{ to: ['kim'] }, 2]])
      await mails.schedule('every', '* * * * *', { to: ['kim'] })
      deploy({ version: 1 })
      assert.deepEqual(await ticks(), [])
      deploy({ version: 2, upgrade }, Mail)
      assert.deepEqual(await ticks(), [[{ to: ['kim'] }, 2]])
    },
  },
  {
    id: 'queue/unversioned',
    title: 'Payloads of code that does not declare the queue, such as dead letters, are checked and not upgraded',
    async run({ open }) {
      const { storage, mails, deploy } = await openReleases(open)
      const { id } = await storage.queue('small').enqueue({ text: 'x' })
      await storage.queue('small').drain(() => {
        throw new Error('broken')
      })
      deploy({ version: 2, upgrade: () => assert.fail('it was upgraded') }, Letter)
      const letter = await mails.dequeue()
      assert.deepEqual([letter?.version, letter?.data], [0, { id }])
    },
  },
  {
    id: 'queue/results-checked',
    title: 'A result that its schema refuses fails the attempt and undoes its writes, in either mode',
    async run({ open }) {
      const { storage, time } = await openReleases(open)
      const checked = storage.queue('checked')
      const { id } = await checked.enqueue({ to: ['kim'] }, { maxAttempts: WAYS.length })
      for (const way of WAYS) {
        const worker = checked.worker(async (_, { tx }) => {
          await tx.repository('done').create({ id: 'x' })
          return wrong({ id: 'seven' })
        }, way)
        assert.equal(await worker.drain(), 1)
        time.ahead += 5_000
      }
      const failed = await checked.get(id)
      assert.deepEqual([failed?.state, failed?.attempt], ['failed', WAYS.length])
      for (const { message } of failed?.errors ?? [])
        assert.match(message, /The result of a job of checked was refused: result is refused: id must be a number/)
      assert.equal(await storage.repository('done').count(), 0)
      const held = await checked.enqueue({ to: ['kim'] }).then(() => checked.dequeue())
      assert.ok(held !== null)
      await refused(() => checked.acknowledge(held, wrong({ id: 'seven' })), { code: 'VALIDATION', paths: ['result'] })
      await checked.acknowledge(held, { id: 7 })
      assert.deepEqual((await checked.get(held.id))?.result, { id: 7 })
    },
  },
  {
    id: 'queue/schemas-take-what-they-give',
    title: 'A payload that its schema would refuse once it has changed it is refused at once, and defaults are kept',
    async run({ open }) {
      const { storage } = await openReleases(open)
      const measured = storage.queue('measured')
      const error = await refused(() => measured.enqueue('four'), { code: 'VALIDATION', paths: ['data'] })
      assert.match(error.message, /must take what it gives/)
      assert.equal((await measured.stats()).waiting, 0)
      const padded = await storage.queue('padded').enqueue({})
      assert.deepEqual(padded.data, { n: 1, unit: 'mm' })
    },
  },
  {
    id: 'queue/payload-bytes',
    title: 'The largest payload is counted in bytes of JSON, to the byte',
    async run({ open }) {
      const { storage } = await openReleases(open)
      const small = storage.queue('small')
      // {"text":""} are eleven bytes, and each é is two.
      await small.enqueue({ text: 'x'.repeat(9) })
      await small.enqueue({ text: `${'é'.repeat(4)}x` })
      const large = [{ text: 'x'.repeat(10) }, { text: 'é'.repeat(5) }]
      for (const data of large) {
        const error = await refused(() => small.enqueue(data), { code: 'VALIDATION', paths: ['data'] })
        assert.match(error.message, /is 21 bytes of JSON, and the queue takes 20/)
      }
      assert.equal((await small.stats()).waiting, 2)
    },
  },
]
