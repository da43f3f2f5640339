import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { testBackends } from '../../../../../test/targets.ts'
import { defineSchema, openStorage, queue } from '../../index.ts'

const schema = defineSchema({ reports: queue<string>() })
/** More than tick in one transaction. */
const MANY = 130

// Memory is not among them: no other process can have written to it.
describe.each(testBackends.filter(({ name }) => name !== 'memory'))('schedules on $name', ({ fresh }) => {
  it('tick beside many that another process accepted and this one cannot read', async () => {
    const { target, drop } = await fresh()
    const time = { ahead: 0 }
    const storage = await openStorage(target, { schema, clock: { now: () => Date.now() + time.ahead } })
    const reports = storage.queue('reports')
    for (let n = 0; n < MANY; n++) await reports.schedule(`bad ${n}`, '* * * * *', 'bad')
    await reports.schedule('good', '* * * * *', 'good')
    await sql`update holdfast_schedules set timezone = 'Mars/Olympus' where name like 'bad%'`.execute(storage.sql)
    time.ahead += 61_000
    const errors: unknown[] = []
    const ran = Promise.withResolvers<string>()
    const worker = reports.work(({ data }) => ran.resolve(data), { onError: (error) => errors.push(error) })
    expect(await ran.promise).toBe('good')
    await worker.stop()
    expect(errors[0]).toMatchObject({ code: 'VALIDATION', message: expect.stringMatching(/The schedule bad \d+ of/) })
    expect((await reports.schedules()).find(({ name }) => name === 'good')?.lastAt).not.toBeNull()
    await storage.close()
    await drop()
  })
})
