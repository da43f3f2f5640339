import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { testBackends } from '../../../../../test/targets.ts'
import { defineSchema, openStorage, queue } from '../../index.ts'

const schema = defineSchema({ work: queue<{ n: number }>() })

/** Some results cannot be written down. */
const NO_BAD_RESULTS = {
  sqlite: `create trigger no_bad_results before insert on holdfast_finished_jobs when new.result like '%bad%'
    begin select raise(abort, 'no room'); end`,
  postgres: "alter table holdfast_finished_jobs add constraint no_bad_results check (result::text not like '%bad%')",
}

// Memory is not among them: it is made to fail by SQL.
describe.each(testBackends.filter(({ name }) => name !== 'memory'))('jobs that end together on $name', (backend) => {
  it('have completed but for those whose end cannot be written down', async () => {
    const { target, drop } = await backend.fresh()
    const storage = await openStorage(target, { schema })
    const work = storage.queue('work')
    await work.enqueueMany([1, 2, 3, 4].map((n) => ({ data: { n } })))
    await sql.raw(NO_BAD_RESULTS[backend.name === 'sqlite' ? 'sqlite' : 'postgres']).execute(storage.sql)
    const errors: unknown[] = []
    const completed: number[] = []
    const worker = work.worker(({ data }) => (data.n === 2 ? 'bad' : `good ${data.n}`), {
      concurrency: 4,
      onError: (error) => errors.push(error),
    })
    worker.on('completed', ({ data }) => completed.push(data.n))
    await worker.drain()
    expect(completed.toSorted()).toEqual([1, 3, 4])
    expect(errors).toHaveLength(1)
    expect(await work.stats()).toMatchObject({ completed: 3, active: 1 })
    await storage.close()
    await drop()
  })
})
