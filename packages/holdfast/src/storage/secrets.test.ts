import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestDatabase } from '../../../../test/postgres-database.ts'
import { defineSchema, t, table } from '../schema/index.ts'
import { openStorage, openStorageFromEnv } from './index.ts'

const CANARY = 'canary7f3a'
/** Signs that mean something in a URL, around and before what must not be told. */
const PASSWORDS = [
  CANARY,
  ...['/', '#', '?', '@', ':', '%', '%zz', '\\', ' ', "'", '"', '[', '\n', 'ü😀', '&x=', '://'].flatMap((sign) => [
    `12${sign}${CANARY}`,
    `${CANARY}${sign}12`,
  ]),
]
const schema = defineSchema({ notes: table({ id: t.integer().primaryKey() }) })

/** All the ways in which a value gets into a log. */
function shown(value: unknown): string {
  const texts = [inspect(value, { depth: 12, showHidden: true }), String(value)]
  if (value instanceof Error) texts.push(JSON.stringify(value), value.stack ?? '', inspect(value.cause, { depth: 12 }))
  return texts.join('\n')
}

describe('a password', () => {
  let database: TestDatabase

  beforeAll(async () => {
    database = await TestDatabase.create()
  })
  afterAll(() => database[Symbol.asyncDispose]())

  it('with whatever signs, encoded or not, is in no error about a target', async () => {
    const { host, pathname } = database.url
    for (const password of PASSWORDS) {
      for (const written of [password, encodeURIComponent(password)]) {
        const targets = [
          `postgres://me:${written}@${host}${pathname}`,
          `postgres://me:${written}@127.0.0.1:1/app`,
          `postgresql://:${written}@127.0.0.1:1/app`,
          `postgres://me:${written}@localhost:no/app`,
          `oracle://me:${written}@localhost/app`,
          `//me:${written}@localhost/app`,
        ]
        for (const target of targets) {
          for (const open of [() => openStorage(target), () => openStorageFromEnv({}, { STORAGE_URL: target })]) {
            const error = await open().then(
              () => new Error('it opened'),
              (caught: unknown) => caught,
            )
            expect((error as { code?: unknown }).code, target).toMatch(/^(CONFIGURATION|CONNECTION)$/)
            expect(shown(error)).not.toContain(CANARY)
          }
        }
      }
    }
  })

  it('with signs that a URL gives a meaning to works when it is encoded, and is nowhere to be seen', async () => {
    const password = `p@ss/w:rd?#%&${CANARY}`
    await database.query(`create role secretive login superuser password '${password}'`)
    const url = new URL(database.url)
    url.username = 'secretive'
    const target = url.href.replace(/:[^:@]*@/, `:${encodeURIComponent(password)}@`)
    const storage = await openStorage(target, { schema, autoCreate: true })
    try {
      const notes = storage.repository('notes')
      await notes.create({ id: 1 })
      const refused = await notes.create({ id: 1 }).catch((error: unknown) => error)
      await database.terminate("usename = 'secretive'")
      const health = await storage.health()
      for (const value of [storage, notes, storage.metrics(), refused, health, storage.migrations])
        expect(shown(value)).not.toContain(CANARY)
    } finally {
      await storage.close()
    }
    expect(
      shown(
        await storage
          .repository('notes')
          .find()
          .catch((error: unknown) => error),
      ),
    ).not.toContain(CANARY)
    await database.query('drop owned by secretive cascade; drop role secretive')
  })
})
