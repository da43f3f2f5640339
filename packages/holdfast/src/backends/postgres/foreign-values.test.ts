import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { TestDatabase } from '../../../../../test/postgres-database.ts'
import { defineSchema, t, table } from '../../schema/index.ts'
import { openStorage } from '../../storage/index.ts'

const schema = defineSchema({ counted: table({ id: t.integer().primaryKey().generated(), name: t.text() }) })

it('an integer that somebody else wrote, and that a number does not hold, is not read as another one', async () => {
  await using database = await TestDatabase.create()
  await using storage = await openStorage(database.url.href, { schema })
  const { id } = await storage.repository('counted').create({ name: 'ours' })
  await sql`insert into counted (id, name) values (9007199254740993, 'theirs')`.execute(storage.sql)
  await expect(storage.repository('counted').find()).rejects.toMatchObject({
    code: 'DRIVER',
    message: expect.stringContaining('9007199254740993'),
    hint: 'Declare its column as t.bigint().',
  })
  expect(await storage.repository('counted').find({ where: { name: 'ours' } })).toEqual([{ id, name: 'ours' }])
})
