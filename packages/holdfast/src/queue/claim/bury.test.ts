import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { testBackends } from '../../../../../test/targets.ts'
import { defineSchema, openStorage, queue } from '../../index.ts'

const earlier = defineSchema({ work: queue<{ n: unknown }>() })
const now = defineSchema({ work: queue({ schema: z.object({ n: z.number() }) }) })

/** Nothing can be written down of jobs that have failed. */
const NO_FAILURES = {
  sqlite: [
    `create trigger no_failures before insert on holdfast_finished_jobs when new.state = 'failed'
      begin select raise(abort, 'no room'); end`,
  ],
  postgres: ["alter table holdfast_finished_jobs add constraint no_failures check (state <> 'failed')"],
}

// Memory is not among them: it is made to fail by SQL.
describe.each(testBackends.filter(({ name }) => name !== 'memory'))('what was taken on $name', ({ name, fresh }) => {
  it('is run although jobs beside it that cannot be run cannot be ended', async () => {
    const { target, drop } = await fresh()
    const first = await openStorage(target, { schema: earlier })
    const jobs = await first.queue('work').enqueueMany([1, 'x', 2].map((n) => ({ data: { n } })))
    const statements = NO_FAILURES[name === 'sqlite' ? 'sqlite' : 'postgres']
    for (const text of statements) await sql.raw(text).execute(first.sql)
    await first.close()
    const storage = await openStorage(target, { schema: now })
    const work = storage.queue('work')
    const errors: unknown[] = []
    const worker = work.work(() => undefined, { batch: 10, onError: (error) => errors.push(error) })
    for (const { id } of [jobs[0], jobs[2]] as typeof jobs) {
      const { state, attempt } = await work.waitFor(id, { timeoutMs: 20_000 })
      expect([state, attempt]).toEqual(['completed', 1])
    }
    await worker.stop()
    expect(errors).toHaveLength(1)
    expect((await work.get((jobs[1] as { id: string }).id))?.state).toBe('active')
    await storage.close()
    await drop()
  })
})
