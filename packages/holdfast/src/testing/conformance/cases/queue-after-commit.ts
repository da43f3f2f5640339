import assert from 'node:assert/strict'
import type { Transaction } from '../../../index.ts'
import { defineSchema, queue, t, table } from '../../../schema/index.ts'
import { refused } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'
import { WAYS } from '../ways-of-working.ts'

const schema = defineSchema({
  done: table({ id: t.text().primaryKey() }),
  jobs: queue<{ writes: boolean; fails: boolean }>({ maxAttempts: 1 }),
})

type Tx = Transaction<typeof schema>
type Data = { readonly writes: boolean; readonly fails: boolean }

/** `tx.afterCommit` in handlers: after the commit that completes the job, and only then. */
export const queueAfterCommitCases: readonly ConformanceCase[] = [
  {
    id: 'queue/after-commit',
    title:
      'afterCommit in a handler runs once its job is completed, and not when the attempt fails; in every way of working',
    async run({ open }) {
      const storage = await open(schema)
      const jobs = storage.queue('jobs')
      let ran: string[] = []
      let seen: Promise<string | undefined>[] = []
      const handle = async (job: { id: string; data: Data }, tx: Tx) => {
        tx.afterCommit(() => {
          ran.push('after')
          seen.push(jobs.get(job.id).then((now) => now?.state))
        })
        if (job.data.writes) {
          await tx.repository('done').create({ id: job.id })
          tx.afterCommit(() => void ran.push('after that'))
        }
        ran.push('handled')
        if (job.data.fails) throw new Error('broken')
      }
      const makers = [
        ...WAYS.map((way) => () => jobs.worker((job, { tx }) => handle(job, tx), way)),
        () => jobs.manyWorker(([job], { tx }) => handle(job, tx)),
      ]
      for (const make of makers) {
        for (const writes of [false, true]) {
          for (const fails of [false, true]) {
            ran = []
            seen = []
            const { id } = await jobs.enqueue({ writes, fails })
            assert.equal(await make().drain(), 1)
            const followed = writes ? ['after', 'after that'] : ['after']
            assert.deepEqual(ran, fails ? ['handled'] : ['handled', ...followed])
            assert.deepEqual(await Promise.all(seen), fails ? [] : ['completed'])
            assert.equal((await jobs.get(id))?.state, fails ? 'failed' : 'completed')
          }
        }
      }
    },
  },
  {
    id: 'queue/after-commit-late',
    title: 'afterCommit is refused once the transaction, or the handler it was given to, has ended',
    async run({ open }) {
      const storage = await open(schema)
      const kept: Tx[] = []
      await storage.transaction(async (tx) => void kept.push(tx))
      await storage.queue('jobs').enqueue({ writes: false, fails: false })
      await storage.queue('jobs').drain((_, { tx }) => void kept.push(tx))
      assert.equal(kept.length, 2)
      for (const tx of kept)
        await refused(() => tx.afterCommit(() => assert.fail('there is no commit')), 'TRANSACTION_MISUSE')
    },
  },
]
