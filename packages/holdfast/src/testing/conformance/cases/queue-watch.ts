import assert from 'node:assert/strict'
import { discard, type Job } from '../../../queue/index.ts'
import { defineSchema, queue } from '../../../schema/index.ts'
import { collect, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  jobs: queue<{ n: number }>({ backoff: { kind: 'fixed', firstMs: 1, jitter: 0 } }),
  other: queue<{ n: number }>(),
  traceless: queue<{ n: number }>({ keep: { completed: 0 } }),
})

/** What is shown of a job. */
async function shown(next: Promise<IteratorResult<Job, void>>) {
  const { value } = await next
  assert.ok(value !== undefined, 'there is more to come')
  const { state, attempt, progress } = value
  return [state, attempt, progress]
}

/** Handlers go on when they are told to. */
function gates<Name extends string>(...names: Name[]) {
  return Object.fromEntries(names.map((name) => [name, Promise.withResolvers<void>()])) as Record<
    Name,
    PromiseWithResolvers<void>
  >
}

/** Jobs that are followed from wherever. */
export const queueWatchCases: readonly ConformanceCase[] = [
  {
    id: 'queue/watched',
    title: 'Whoever watches a job sees it begin, its progress, each attempt and its end, from another process too',
    async run({ open, traits }) {
      const jobs = (await open(schema)).queue('jobs')
      const web = traits.sharedBetweenProcesses ? (await open(schema)).queue('jobs') : jobs
      const { id } = await jobs.enqueue({ n: 1 })
      await jobs.enqueue({ n: 2 })
      const watched = web.watch(id)
      assert.deepEqual(await shown(watched.next()), ['waiting', 0, null])
      const gate = gates('begun', 'halfway', 'failing', 'again')
      const worker = jobs.work(
        async (job, { progress }) => {
          if (job.id !== id) return
          if (job.attempt > 1) return gate.again.promise.then(() => 'made')
          await gate.begun.promise
          await progress({ done: 1 })
          await gate.halfway.promise
          await progress({ done: 2 })
          await gate.failing.promise
          throw new Error('broken')
        },
        { concurrency: 2 },
      )
      assert.deepEqual(await shown(watched.next()), ['active', 1, null])
      gate.begun.resolve()
      assert.deepEqual(await shown(watched.next()), ['active', 1, { done: 1 }])
      gate.halfway.resolve()
      assert.deepEqual(await shown(watched.next()), ['active', 1, { done: 2 }])
      gate.failing.resolve()
      const seen: unknown[] = []
      for (let attempt: unknown = 1; attempt === 1; attempt = seen.at(-1)) seen.push((await shown(watched.next()))[1])
      gate.again.resolve()
      const rest = await collect(watched)
      const last = rest.at(-1) as Job
      assert.deepEqual([last.state, last.attempt, last.result], ['completed', 2, 'made'])
      assert.deepEqual(
        last.errors.map(({ message }) => message),
        ['broken'],
      )
      await worker.stop()
    },
  },
  {
    id: 'queue/watched-newest',
    title: 'Whoever is slow is given the newest of a job that they watch, and not all that it has been',
    async run({ open }) {
      const jobs = (await open(schema)).queue('jobs')
      const { id } = await jobs.enqueue({ n: 1 })
      const watched = jobs.watch(id)
      assert.deepEqual(await shown(watched.next()), ['waiting', 0, null])
      const gate = gates('told', 'done')
      const worker = jobs.work(async (_, { progress }) => {
        for (const n of [1, 2, 3]) await progress(n)
        gate.told.resolve()
        await gate.done.promise
      })
      await gate.told.promise
      assert.deepEqual(await shown(watched.next()), ['active', 1, 3])
      gate.done.resolve()
      assert.deepEqual(await shown(watched.next()), ['completed', 1, 3])
      assert.equal((await watched.next()).done, true)
      await worker.stop()
    },
  },
  {
    id: 'queue/watched-end',
    title: 'Watching a job ends when it has finished, failed or was cancelled, also when it is not kept',
    async run({ open }) {
      const storage = await open(schema)
      const jobs = storage.queue('jobs')
      const made = await jobs.enqueueMany([1, 2, 3].map((n) => ({ data: { n } })))
      const traceless = await storage.queue('traceless').enqueue({ n: 4 })
      const watching = made.map((job) => collect(jobs.watch(job)))
      const unkept = storage.queue('traceless').watch(traceless)
      assert.equal((await unkept.next()).value?.state, 'waiting')
      await jobs.cancel((made[2] as Job).id)
      await jobs.drain((job) => {
        if (job.data.n === 2) throw discard('no')
        return 'yes'
      })
      const last = (await Promise.all(watching)).map((seen) => seen.at(-1))
      assert.deepEqual(
        last.map((job) => [job?.state, job?.result, job?.waitsFor]),
        [
          ['completed', 'yes', null],
          ['failed', null, null],
          ['cancelled', null, null],
        ],
      )
      await storage.queue('traceless').drain(() => undefined)
      const gone = (await collect(unkept)).at(-1)
      assert.deepEqual([gone?.state, gone?.waitsFor, gone?.finishedAt instanceof Date], ['completed', null, true])
      // Who comes late is given what has become of it.
      const late = await collect(jobs.watch((made[0] as Job).id))
      assert.deepEqual(
        late.map(({ state, result }) => [state, result]),
        [['completed', 'yes']],
      )
    },
  },
  {
    id: 'queue/watching-ended',
    title: 'Watching a job ends without an error by a signal, by leaving the loop and when the storage closes',
    async run({ open }) {
      const storage = await open(schema)
      const jobs = storage.queue('jobs')
      const { id } = await jobs.enqueue({ n: 1 })
      assert.deepEqual(await collect(jobs.watch(id, { signal: AbortSignal.abort() })), [])
      const aborting = new AbortController()
      const [aborted, left, closed] = [jobs.watch(id, { signal: aborting.signal }), jobs.watch(id), jobs.watch(id)]
      for (const watched of [aborted, left, closed]) assert.equal((await watched.next()).value?.state, 'waiting')
      const next = aborted.next()
      aborting.abort()
      assert.equal((await next).done, true)
      assert.equal((await left.return()).done, true)
      const last = closed.next()
      await storage.close()
      assert.equal((await last).done, true)
    },
  },
  {
    id: 'queue/watching-refused',
    title: 'Watching a job that is not there, in a transaction, or with unknown options is refused',
    async run({ open }) {
      const storage = await open(schema)
      const jobs = storage.queue('jobs')
      const { id } = await jobs.enqueue({ n: 1 })
      const elsewhere = await storage.queue('other').enqueue({ n: 1 })
      await refused(() => jobs.watch('nobody').next(), 'NOT_FOUND')
      await refused(() => jobs.watch(elsewhere).next(), 'NOT_FOUND')
      await refused(() => jobs.watch(wrong(null)), { code: 'VALIDATION', paths: ['id'] })
      await refused(() => jobs.watch(id, wrong({ every: 5 })), { code: 'VALIDATION', paths: ['every'] })
      await refused(() => jobs.watch(id, wrong({ signal: {}, pollMs: 0 })), {
        code: 'VALIDATION',
        paths: ['signal', 'pollMs'],
      })
      await storage.transaction((tx) => refused(() => tx.queue('jobs').watch(id), 'TRANSACTION_MISUSE'))
      // What is forgotten while it is watched is not there any more.
      const watched = jobs.watch(id)
      assert.equal((await watched.next()).value?.state, 'waiting')
      await jobs.cancel(id)
      await jobs.purge()
      await refused(() => watched.next(), 'NOT_FOUND')
    },
  },
]
