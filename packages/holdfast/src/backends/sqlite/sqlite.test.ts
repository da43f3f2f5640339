import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SqliteFiles, sqliteDrivers } from '../../../../../test/sqlite.ts'
import type { Statements } from '../../../../../test/statements.ts'
import type { Backend, Call, Connection, Plan, Row } from '../../backend/index.ts'
import { defineSchema, documents, t, table } from '../../schema/index.ts'
import { SqliteConnection } from './connection.ts'

const schema = defineSchema({
  users: table(
    {
      id: t.integer().primaryKey().generated(),
      email: t.text().unique(),
      age: t.integer().nullable().check({ gte: 0 }),
      tenant: t.text().default('a'),
      badge: t.text().default('a'),
      big: t.bigint().default(0n),
    },
    { unique: [['tenant', 'badge', 'id']] },
  ),
  sessions: table({
    id: t.text().primaryKey(),
    userId: t.integer().references('users'),
    parentId: t.text().nullable().references('sessions', { onDelete: 'cascade' }),
  }),
  visits: table({ id: t.integer().primaryKey(), sessionId: t.text().references('sessions') }),
  plans: documents({ unique: ['slug'] }),
})

describe.each(sqliteDrivers)('SQLite through %s', (driver) => {
  let files: SqliteFiles
  let db: Statements
  let backend: Backend
  let insertPlan: Plan | undefined

  beforeEach(async () => {
    files = new SqliteFiles()
    db = await files.statements(schema, { driver })
    backend = db.backend
    insertPlan = undefined
  })
  afterEach(() => files[Symbol.asyncDispose]())

  const insert = (email: string, rest: Row = {}) => db.insert('users', [{ email, ...rest }], { returning: ['id'] })
  const emails = async (on?: Connection): Promise<unknown[]> =>
    (await db.select('users', { fields: { email: 'email' }, orderBy: [{ id: 'asc' }] }, on)).map(({ email }) => email)
  const call = (email: string): Call => {
    const { statement, parameters } = db.inserting('users', [{ email }], { returning: ['id'] })
    insertPlan ??= backend.prepare(statement)
    return { plan: insertPlan, parameters }
  }

  describe('a write', () => {
    it('is there when the file is opened again', async () => {
      await insert('a')
      await backend.close()
      const again = await files.open(schema, { driver })
      expect(await again.schema.inspect()).toHaveLength(4)
      const { plan, parameters } = { plan: again.prepare(db.selecting('users').statement), parameters: [] }
      expect((await again.execute(plan, parameters)).rows).toMatchObject([{ id: 1, email: 'a', age: null, big: 0n }])
    })

    it.each([1, 2, 4, 31, 32, 33, 100])('of %i rows gives their keys in order', async (rows) => {
      await insert('first')
      const many = Array.from({ length: rows }, (_, at) => ({ email: `user ${at}` }))
      const { rows: keys, count } = await db.insert('users', many, { returning: ['id'] })
      expect(count).toBe(rows)
      expect(keys).toEqual(many.map((_, at) => ({ id: at + 2 })))
      const back = await db.insert('users', [{ email: 'back' }], { returning: ['email', 'id', 'big'] })
      expect(back.rows).toEqual([{ email: 'back', id: rows + 2, big: 0n }])
    })

    it('of many rows stores all or none', async () => {
      const many = Array.from({ length: 70 }, (_, at) => ({ email: `user ${at === 69 ? 0 : at}` }))
      await expect(db.insert('users', many)).rejects.toMatchObject({ code: 'CONFLICT_UNIQUE', fields: ['email'] })
      expect(await emails()).toEqual([])
      await backend.transaction({}, async (tx) => {
        await db.insert('users', [{ email: 'before' }], {}, tx)
        const nested = tx.savepoint(() => db.insert('users', many, {}, tx))
        await expect(nested).rejects.toMatchObject({ code: 'CONFLICT_UNIQUE' })
        expect(await emails(tx)).toEqual(['before'])
      })
    })

    it('never gives a key twice, and counts on from one that was given', async () => {
      await insert('a')
      await db.delete('users', { where: { email: 'a' } })
      expect((await insert('b')).rows).toEqual([{ id: 2 }])
      await insert('c', { id: 10 })
      expect((await insert('d')).rows).toEqual([{ id: 11 }])
    })

    it('leaves out rows that a conflict drops', async () => {
      await insert('a')
      const dropped = await db.insert('users', [{ email: 'a' }, { email: 'b' }], {
        onConflict: { columns: ['email'], set: {} },
        returning: ['email'],
      })
      expect(dropped).toEqual({ rows: [{ email: 'b' }], count: 1 })
    })
  })

  describe('writes of one tick', () => {
    it('share a transaction, and each has its own outcome', async () => {
      await insert('taken')
      const settled = await backend.executeTogether([call('a'), call('taken'), call('b')])
      expect(settled).toEqual([
        { result: { rows: [{ id: 2 }], count: 1 } },
        { error: expect.objectContaining({ code: 'CONFLICT_UNIQUE', fields: ['email'] }) },
        { result: { rows: [{ id: 3 }], count: 1 } },
      ])
      expect(await emails()).toEqual(['taken', 'a', 'b'])
    })

    it('of one statement are inserted many at once, and still each has its own outcome', async () => {
      await insert('taken')
      const texts = vi.spyOn(SqliteConnection.prototype, 'statement')
      const good = await backend.executeTogether(Array.from({ length: 70 }, (_, at) => call(`user ${at}`)))
      expect(good.map(({ result }) => result)).toEqual(good.map((_, at) => ({ rows: [{ id: at + 2 }], count: 1 })))
      expect(texts.mock.calls).toHaveLength(5) // 32 + 32 + 4 + 1 + 1
      texts.mockRestore()
      const emailOf = (at: number) => (at === 40 ? 'taken' : at === 41 ? 'more 3' : `more ${at}`)
      const mixed = await backend.executeTogether(Array.from({ length: 70 }, (_, at) => call(emailOf(at))))
      expect(mixed.flatMap(({ error }, at) => (error === undefined ? [] : [at]))).toEqual([40, 41])
      const ids = mixed.flatMap(({ result }) => result?.rows ?? [])
      const stored = await db.select('users', { fields: { id: 'id', email: 'email' }, orderBy: [{ id: 'asc' }] })
      expect(stored.slice(71)).toEqual(ids.map(({ id }, at) => ({ id, email: emailOf(at < 40 ? at : at + 2) })))
    })

    it('that take several statements fail whole', async () => {
      const many = Array.from({ length: 40 }, (_, at) => ({ email: at === 39 ? 'a' : `user ${at}` }))
      const { statement, parameters } = db.inserting('users', many)
      const settled = await backend.executeTogether([
        call('a'),
        { plan: backend.prepare(statement), parameters },
        call('b'),
      ])
      expect(settled.map(({ error }) => (error as { code?: string } | undefined)?.code)).toEqual([
        undefined,
        'CONFLICT_UNIQUE',
        undefined,
      ])
      expect(await emails()).toEqual(['a', 'b'])
    })

    it('wait for a transaction and then run', async () => {
      const { promise: inside, resolve: entered } = Promise.withResolvers<void>()
      const { promise: release, resolve: leave } = Promise.withResolvers<void>()
      const running = backend.transaction({}, async (tx) => {
        await db.insert('users', [{ email: 'first' }], {}, tx)
        entered()
        await release
      })
      await inside
      const together = backend.executeTogether([call('a'), call('b')])
      const alone = insert('c')
      expect(await emails()).toEqual([])
      leave()
      await Promise.all([running, together, alone])
      expect(await emails()).toEqual(['first', 'a', 'b', 'c'])
    })

    it('of thousands take turns with everything else', async () => {
      let turns = 0
      const timer = setInterval(() => turns++, 0)
      const settled = await backend.executeTogether(Array.from({ length: 3_500 }, (_, at) => call(`user ${at}`)))
      clearInterval(timer)
      expect(settled.map(({ result }) => result?.rows[0]?.['id'])).toEqual(settled.map((_, at) => at + 1))
      expect(turns).toBeGreaterThan(0)
    })

    it('run one by one when SQLite gave up the transaction they shared', async () => {
      await backend.transaction({}, async (tx) => {
        const pages = await tx.sql?.('pragma page_count', [])
        await tx.sql?.(`pragma max_page_count = ${Number(pages?.rows[0]?.['page_count']) + 2}`, [])
      })
      const settled = await backend.executeTogether([call('a'), call('x'.repeat(100_000)), call('b')])
      expect(settled.map(({ error }) => (error as { code?: string } | undefined)?.code)).toEqual([
        undefined,
        'DISK_FULL',
        undefined,
      ])
      expect(await emails()).toEqual(['a', 'b'])
    })
  })

  describe('a broken rule', () => {
    beforeEach(async () => {
      await db.insert('users', [
        { id: 1, email: 'a' },
        { id: 2, email: 'b' },
      ])
      await db.insert('sessions', [
        { id: 's', userId: 1, parentId: null },
        { id: 'child', userId: 1, parentId: 's' },
      ])
      await db.insert('visits', [{ id: 1, sessionId: 'child' }])
      await db.insert('plans', [{ id: 'p', data: { slug: 'x' } }])
    })

    const failures: [string, () => Promise<unknown>, string, string, string[]][] = [
      ['a unique column', () => insert('a'), 'CONFLICT_UNIQUE', 'users', ['email']],
      ['the primary key', () => db.insert('sessions', [{ id: 's', userId: 1 }]), 'CONFLICT_UNIQUE', 'sessions', ['id']],
      ['a generated key', () => insert('c', { id: 1 }), 'CONFLICT_UNIQUE', 'users', ['id']],
      [
        'a unique path',
        () => db.insert('plans', [{ id: 'q', data: { slug: 'x' } }]),
        'CONFLICT_UNIQUE',
        'plans',
        ['slug'],
      ],
      ['a check', () => insert('c', { age: -1 }), 'CONSTRAINT_CHECK', 'users', ['age']],
      ['null', () => db.update('users', { email: null }), 'CONSTRAINT_NOT_NULL', 'users', ['email']],
      [
        'the range of an integer',
        () => db.update('users', { age: { $increment: 1 } }, { where: { id: 2 } }),
        'CONSTRAINT_CHECK',
        'users',
        ['age'],
      ],
      [
        'the range of a bigint',
        () => db.update('users', { big: { $increment: 2n ** 63n - 1n } }, { where: { id: 2 } }),
        'CONSTRAINT_CHECK',
        'users',
        ['big'],
      ],
      [
        'a reference that is inserted',
        () => db.insert('sessions', [{ id: 't', userId: 9, parentId: null }]),
        'CONSTRAINT_FOREIGN_KEY',
        'sessions',
        ['userId'],
      ],
      [
        'a reference of the last of many rows',
        () =>
          db.insert('visits', [
            { id: 2, sessionId: 's' },
            { id: 3, sessionId: 'gone' },
          ]),
        'CONSTRAINT_FOREIGN_KEY',
        'visits',
        ['sessionId'],
      ],
      [
        'a reference that is updated',
        () => db.update('sessions', { parentId: 'gone' }, { where: { id: 's' } }),
        'CONSTRAINT_FOREIGN_KEY',
        'sessions',
        ['parentId'],
      ],
      [
        'a reference to what is deleted',
        () => db.delete('users', { where: { email: 'a' } }),
        'CONSTRAINT_FOREIGN_KEY',
        'sessions',
        ['userId'],
      ],
      [
        'a reference to what goes along',
        () => db.delete('sessions', { where: { id: 's' } }),
        'CONSTRAINT_FOREIGN_KEY',
        'visits',
        ['sessionId'],
      ],
    ]

    it.each(failures)('of %s is told by the model and the fields', async (_, write, code, model, fields) => {
      await db.update('users', { age: Number.MAX_SAFE_INTEGER, big: 1n }, { where: { id: 2 } })
      await expect(write()).rejects.toMatchObject({ code, model, fields })
    })
  })

  describe('a transaction', () => {
    it('is seen by nobody before it commits, and then by all', async () => {
      await backend.transaction({}, async (tx) => {
        await db.insert('users', [{ email: 'a' }], {}, tx)
        expect(await emails(tx)).toEqual(['a'])
        expect(await emails()).toEqual([])
      })
      expect(await emails()).toEqual(['a'])
    })

    it('leaves nothing when its work fails', async () => {
      const failing = backend.transaction({}, async (tx) => {
        await db.insert('users', [{ email: 'a' }], {}, tx)
        throw new Error('no')
      })
      await expect(failing).rejects.toThrow('no')
      expect(await emails()).toEqual([])
      await insert('b')
    })

    it('can undo a savepoint and go on', async () => {
      await backend.transaction({}, async (tx) => {
        await db.insert('users', [{ email: 'a' }], {}, tx)
        const undone = tx.savepoint(async () => {
          await db.insert('users', [{ email: 'b' }], {}, tx)
          await tx.savepoint(() => db.insert('users', [{ email: 'c' }], {}, tx))
          await db.insert('users', [{ email: 'a' }], {}, tx)
        })
        await expect(undone).rejects.toMatchObject({ code: 'CONFLICT_UNIQUE' })
        await tx.savepoint(() => db.insert('users', [{ email: 'd' }], {}, tx))
      })
      expect(await emails()).toEqual(['a', 'd'])
    })

    it('ends when its time is up, whatever its work does then', async () => {
      let late: Promise<unknown> = Promise.resolve()
      const slow = backend.transaction({ timeoutMs: 20 }, async (tx) => {
        await db.insert('users', [{ email: 'a' }], {}, tx)
        await new Promise((resolve) => setTimeout(resolve, 60))
        late = db.insert('users', [{ email: 'b' }], {}, tx).catch((error: unknown) => error)
        await late
      })
      await expect(slow).rejects.toMatchObject({ code: 'TIMEOUT' })
      await insert('c')
      await new Promise((resolve) => setTimeout(resolve, 80))
      expect(await late).toMatchObject({ code: 'TIMEOUT' })
      expect(await emails()).toEqual(['c'])
    })

    it('waits for its turn no longer than its time', async () => {
      const { promise: release, resolve: leave } = Promise.withResolvers<void>()
      const holder = backend.transaction({}, () => release)
      const waiting = backend.transaction({ timeoutMs: 20 }, async () => 'never')
      await expect(waiting).rejects.toMatchObject({ code: 'TIMEOUT' })
      leave()
      await holder
      expect(await backend.transaction({}, async () => 'next')).toBe('next')
    })

    it('that only reads sees one moment, and waits for no writer', async () => {
      await insert('a')
      await backend.transaction({}, async () => {
        await backend.transaction({ readOnly: true }, async (tx) => {
          expect(await emails(tx)).toEqual(['a'])
        })
      })
      await backend.transaction({ readOnly: true }, async (tx) => {
        expect(await emails(tx)).toEqual(['a'])
        await insert('b')
        expect(await emails(tx)).toEqual(['a'])
        await expect(db.insert('users', [{ email: 'c' }], {}, tx)).rejects.toMatchObject({ code: 'READ_ONLY' })
      })
      expect(await emails()).toEqual(['a', 'b'])
    })

    it('that SQLite has given up lets nothing run outside of it', async () => {
      const failing = backend.transaction({}, async (tx) => {
        await tx.sql?.('pragma max_page_count = 1', [])
        await db.insert('users', [{ email: 'x'.repeat(50_000) }], {}, tx).catch(() => undefined)
        await db.insert('users', [{ email: 'b' }], {}, tx)
      })
      await expect(failing).rejects.toMatchObject({ code: expect.stringMatching(/DISK_FULL|TRANSACTION_FAILED/) })
      expect(await emails()).toEqual([])
    })

    it('edits the schema and takes it back when it fails', async () => {
      const { models } = defineSchema({ extra: table({ id: t.id() }) })
      const model = models.get('extra')!
      const failing = backend.transaction({}, async (tx) => {
        await tx.schema?.apply([{ kind: 'createTable', model }])
        throw new Error('no')
      })
      await expect(failing).rejects.toThrow('no')
      expect((await backend.schema.inspect()).map(({ name }) => name)).not.toContain('extra')
    })
  })

  describe('a stream', () => {
    beforeEach(async () => {
      await db.insert(
        'users',
        Array.from({ length: 2_500 }, (_, at) => ({ email: `user ${at}` })),
      )
    })

    const streamed = (on: Pick<Backend, 'stream'> = backend) => {
      const { statement, parameters } = db.selecting('users', { orderBy: [{ id: 'asc' }] })
      return on.stream(backend.prepare(statement), parameters)
    }

    it('gives every row, a thousand at a time, and lets others work in between', async () => {
      const sizes: number[] = []
      let turns = 0
      const timer = setInterval(() => turns++, 0)
      for await (const batch of streamed()) sizes.push(batch.length)
      clearInterval(timer)
      expect(sizes).toEqual([1_000, 1_000, 500])
      expect(turns).toBeGreaterThan(0)
    })

    it('sees the moment at which it began', async () => {
      const seen: unknown[] = []
      for await (const batch of streamed()) {
        if (seen.length === 0) await db.delete('users', {})
        seen.push(...batch)
      }
      expect(seen).toHaveLength(2_500)
      expect(await emails()).toEqual([])
    })

    it('may be left early, as often as one likes', async () => {
      for (let round = 0; round < 5; round++) for await (const _ of streamed()) break
      await insert('more')
    })

    it('in a transaction sees its writes, and none that come later', async () => {
      await backend.transaction({}, async (tx) => {
        await db.insert('users', [{ email: 'mine' }], {}, tx)
        const seen: Row[] = []
        for await (const batch of streamed(tx)) {
          if (seen.length === 0) await db.delete('users', {}, tx)
          else expect(await emails(tx)).toEqual([])
          seen.push(...batch)
        }
        expect(seen).toHaveLength(2_501)
        expect(seen.at(-1)).toMatchObject({ email: 'mine' })
      })
    })

    it('in a transaction leaves room for other reads', async () => {
      await backend.transaction({ readOnly: true }, async (tx) => {
        for await (const batch of streamed(tx)) {
          const [first] = batch as [Row]
          expect(await db.select('users', { where: { id: first['id'] } }, tx)).toHaveLength(1)
          for await (const inner of streamed(tx)) expect(inner).toHaveLength(1_000 - (inner.length === 500 ? 500 : 0))
        }
      })
    })
  })

  describe('SQL text', () => {
    it('reads and writes, in a transaction and outside', async () => {
      expect(await backend.sql?.('insert into users (email) values (?) returning id', ['a'])).toEqual({
        rows: [{ id: 1 }],
        count: 1,
      })
      await backend.transaction({}, async (tx) => {
        expect(await tx.sql?.('update users set email = ?', ['b'])).toEqual({ rows: [], count: 1 })
        expect(await backend.sql?.('select email from users', [])).toMatchObject({ rows: [{ email: 'a' }] })
      })
      expect(await backend.sql?.('select email from users', [])).toEqual({ rows: [{ email: 'b' }], count: 1 })
      await expect(backend.sql?.('select nothing from nowhere', [])).rejects.toMatchObject({ code: 'DRIVER' })
    })

    it('begins and ends no transactions', async () => {
      const misuse = { code: 'TRANSACTION_MISUSE' }
      for (const text of ['begin', ' BEGIN immediate', '/* hidden */ begin', 'savepoint mine']) {
        await expect(backend.sql?.(text, [])).rejects.toMatchObject(misuse)
      }
      await backend.transaction({}, async (tx) => {
        await db.insert('users', [{ email: 'a' }], {}, tx)
        await expect(tx.sql?.('commit', [])).rejects.toMatchObject(misuse)
        await db.delete('users', {}, tx)
      })
      const ending = backend.transaction({}, async (tx) => {
        await tx.sql?.('-- hidden\nrollback', []).catch(() => undefined)
        await db.insert('users', [{ email: 'b' }], {}, tx)
      })
      await expect(ending).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
      await insert('c')
      expect(await emails()).toEqual(['c'])
    })
  })

  describe('after close', () => {
    it('every call is refused, and what ran before it is done', async () => {
      const writes = [insert('a'), insert('b')]
      const transaction = backend.transaction({}, async (tx) => {
        await new Promise((resolve) => setImmediate(resolve))
        await db.insert('users', [{ email: 'c' }], {}, tx)
      })
      await Promise.all([...writes, transaction, backend.close()])
      for (const refused of [insert('d'), emails(), backend.ping(), backend.transaction({}, async () => 1)]) {
        await expect(refused).rejects.toMatchObject({ code: 'CLOSED' })
      }
      await backend.close()
      const again = await files.open(schema, { driver })
      const { rows } = await again.execute(again.prepare(db.selecting('users').statement), [])
      expect(rows).toHaveLength(3)
    })
  })
})
