import { expect, it } from 'vitest'
import { TestDatabase } from '../../../../test/postgres-database.ts'
import { defineSchema, openStorage, t, table } from '../index.ts'

const schema = defineSchema({
  plans: table({ id: t.text().primaryKey(), n: t.integer() }, { history: true }),
})

/** The first who writes a head waits, before anything of it is locked. */
const LATE_FIRST_WRITER = `
  create sequence writes;
  create function wait_once() returns trigger language plpgsql as $$
    begin
      if nextval('writes') = 1 then perform pg_advisory_xact_lock(7); end if;
      return null;
    end $$;
  create trigger late before update on holdfast_history_heads for each statement execute function wait_once();
`

it('of two that remove versions, the one that is late does not take back what the other said of it', async () => {
  await using database = await TestDatabase.create()
  await using storage = await openStorage(database.url.href, { schema, autoCreate: true })
  const plans = storage.repository('plans')
  const early = new Date(Date.now() + 60_000)
  await plans.create({ id: 'a', n: 0 })
  for (let n = 1; n <= 3; n++) await plans.update('a', { n })
  expect(await plans.history('a')).toHaveLength(4)
  // What was replaced first was replaced long ago.
  await database.query(`update plans_history set history_to = '2000-01-01' where history_version = 1`)
  await database.query(LATE_FIRST_WRITER)
  const holding = await database.connect()
  await holding.query('select pg_advisory_lock(7)')
  const late = plans.pruneHistory(new Date('2001-01-01'))
  await database.sessions(1, "wait_event = 'advisory'")
  await plans.pruneHistory(early)
  await holding.query('select pg_advisory_unlock(7)')
  await late
  const watching = plans.watch(undefined, { after: '1' })[Symbol.asyncIterator]()
  await expect(watching.next()).rejects.toMatchObject({ code: 'VALIDATION' })
  await expect(plans.asOf(new Date(early.getTime() - 1)).find()).rejects.toMatchObject({ code: 'VALIDATION' })
})
