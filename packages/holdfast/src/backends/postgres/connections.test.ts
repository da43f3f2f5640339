import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestDatabase } from '../../../../../test/postgres-database.ts'
import { Statements } from '../../../../../test/statements.ts'
import { type Backend, Plans } from '../../backend/index.ts'
import { ConfigurationError, ConnectionError, TimeoutError } from '../../base/errors.ts'
import { defineSchema, t, table } from '../../schema/index.ts'
import { loadDriver } from './driver.ts'
import { type PostgresOptions, postgres } from './index.ts'

const schema = defineSchema({ items: table({ id: t.integer().primaryKey(), name: t.text() }) })
const PASSWORD = 'canary-9f27'

let database: TestDatabase

beforeAll(async () => {
  database = await TestDatabase.create()
  const setUp = await database.open(schema)
  await new Statements(setUp, schema).insert('items', [{ id: 1, name: 'one' }])
  await setUp.close()
})
afterAll(() => database[Symbol.asyncDispose]())

function backendOf(options: PostgresOptions): Backend {
  return postgres(options)({ models: schema.models })
}

/** What opening with these options fails with; nothing of it may show the password. */
async function refusal(change: (url: URL) => void, options: PostgresOptions = {}): Promise<Error> {
  const url = new URL(database.url)
  url.password = PASSWORD
  change(url)
  let backend: Backend | undefined
  try {
    backend = backendOf({ url: url.href, connectionTimeoutMs: 2_000, ...options })
    await backend.open()
  } catch (error) {
    const shown = [
      inspect(error, { depth: 10, showHidden: true }),
      JSON.stringify(error),
      String(error),
      inspect(backend, { depth: 10 }),
    ]
    for (const text of shown) expect(text).not.toContain(PASSWORD)
    return error as Error
  }
  throw new Error('It opened')
}

describe('a server that refuses', () => {
  it('because of the password is not asked again, and the password is not told', async () => {
    const error = await refusal(() => undefined)
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({ retryable: false, hint: expect.stringContaining('password') })
    expect(error.message).toContain(`database ${database.url.pathname.slice(1)}, user postgres`)
  })

  it('because the database does not exist says so', async () => {
    const error = await refusal((url) => {
      url.password = database.url.password
      url.pathname = '/nowhere'
    })
    expect(error).toMatchObject({
      name: 'ConnectionError',
      retryable: false,
      message: expect.stringContaining('nowhere'),
    })
  })

  it('because it cannot be reached may be tried again', async () => {
    const error = await refusal((url) => {
      url.port = '1'
    })
    expect(error).toMatchObject({
      name: 'ConnectionError',
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('to encrypt, when that is asked for, is not talked to', async () => {
    const error = await refusal((url) => url.searchParams.set('sslmode', 'require'))
    expect(error).toMatchObject({ name: 'ConnectionError', retryable: false, message: expect.stringContaining('SSL') })
  })

  it('because it has no connection left may be tried again', async () => {
    await database.query('create role crowded login password $$crowded$$ connection limit 1')
    const url = new URL(database.url)
    Object.assign(url, { username: 'crowded', password: 'crowded' })
    const backend = backendOf({ url: url.href })
    await backend.open()
    const error = await refusal((other) => Object.assign(other, { username: 'crowded', password: 'crowded' }))
    expect(error).toMatchObject({ name: 'ConnectionError', retryable: true, hint: expect.stringContaining('max') })
    await backend.close()
    await database.query('drop role crowded')
  })

  it('and never answers makes opening fail in time', async () => {
    const { proxy, url } = await database.proxy()
    proxy.blackhole()
    const backend = backendOf({ url, connectionTimeoutMs: 300 })
    await expect(backend.open()).rejects.toThrow(ConnectionError)
  })
})

describe('options', () => {
  it('that name the server twice are refused', () => {
    expect(() => postgres({ url: database.url.href, host: 'elsewhere' })).toThrow(ConfigurationError)
  })

  it('with a URL of another kind are refused without repeating it', async () => {
    const error = await refusal(() => undefined, { url: `mysql://me:${PASSWORD}@localhost/app` })
    expect(error).toBeInstanceOf(ConfigurationError)
  })

  it('with a URL that cannot be read are refused without repeating it', async () => {
    const error = await refusal(() => undefined, { url: `postgres://me:${PASSWORD}@localhost:no/app` })
    expect(error).toBeInstanceOf(ConfigurationError)
  })

  it('in parts connect, with a password that a function gives', async () => {
    const { hostname, port, username, password, pathname } = database.url
    const backend = backendOf({
      host: hostname,
      port: Number(port),
      user: username,
      password: async () => password,
      database: pathname.slice(1),
    })
    await backend.open()
    expect(await new Statements(backend, schema).select('items')).toEqual([{ id: 1, name: 'one' }])
    await backend.close()
  })

  it('give the sessions a name that the server shows', async () => {
    const backend = await database.open(schema, { applicationName: 'orders' })
    await database.sessions(1, "application_name = 'orders'")
    await backend.close()
  })
})

describe('the driver', () => {
  it('is named, with the command that installs it, when it is missing', async () => {
    const load = () =>
      Promise.reject(Object.assign(new Error("Cannot find package 'pg'"), { code: 'ERR_MODULE_NOT_FOUND' }))
    await expect(loadDriver(load)).rejects.toMatchObject({
      name: 'ConfigurationError',
      code: 'MISSING_DRIVER',
      hint: 'Run: npm install pg',
    })
  })

  it('fails with its own error when it is there and broken', async () => {
    const broken = new Error('broken')
    await expect(loadDriver(() => Promise.reject(broken))).rejects.toBe(broken)
  })
})

describe('connections', () => {
  it('that the server ends while idle are replaced', async () => {
    const backend = await database.open(schema, { applicationName: 'idle' })
    const statements = new Statements(backend, schema)
    await statements.select('items')
    await database.terminate("application_name = 'idle'")
    await database.sessions(0, "application_name = 'idle'")
    expect(await statements.select('items')).toHaveLength(1)
    await backend.close()
  })

  it('that the server ends while nobody listens are all replaced', async () => {
    const backend = await database.open(schema, { applicationName: 'unheard', max: 6 })
    const statements = new Statements(backend, schema)
    const sleeping = () => backend.sql?.('select pg_sleep(0.1)', [])
    await Promise.all(Array.from({ length: 6 }, sleeping))
    // In another process, which this one waits for without hearing anything of its connections.
    const ending = `
      import { Client } from 'pg'
      const client = new Client({ connectionString: process.argv[1] })
      await client.connect()
      const own = "from pg_stat_activity where application_name = 'unheard'"
      await client.query('select pg_terminate_backend(pid) ' + own)
      while ((await client.query('select 1 ' + own)).rows.length > 0);
      await client.end()`
    const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', ending, database.url.href])
    expect(status).toBe(0)
    expect(await statements.select('items')).toHaveLength(1)
    await backend.close()
  })

  it('that the server ends inside a transaction make it fail, so that it can be repeated', async () => {
    const backend = await database.open(schema, { applicationName: 'busy' })
    const statements = new Statements(backend, schema)
    const running = backend.transaction({}, async (connection) => {
      await statements.update('items', { name: 'two' }, { where: { id: 1 } }, connection)
      await database.terminate("application_name = 'busy'")
      await database.sessions(0, "application_name = 'busy'")
      await statements.select('items', {}, connection)
    })
    await expect(running).rejects.toMatchObject({ name: 'ConnectionError', retryable: true })
    expect(await statements.select('items')).toEqual([{ id: 1, name: 'one' }])
    await backend.close()
  })

  it('are never more than `max`, and waiting for one has an end', async () => {
    const backend = await database.open(schema, { max: 2, connectionTimeoutMs: 1_500, applicationName: 'few' })
    const statements = new Statements(backend, schema)
    const held = [0, 1].map(() => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const started = Promise.withResolvers<void>()
      const running = backend.transaction({}, async (connection) => {
        await statements.select('items', {}, connection)
        started.resolve()
        await promise
      })
      return { running, resolve, started: started.promise }
    })
    await Promise.all(held.map(({ started }) => started))
    await Promise.all([
      expect(statements.select('items')).rejects.toThrow(TimeoutError),
      expect(statements.update('items', { name: 'x' }, { where: { id: 2 } })).rejects.toThrow(TimeoutError),
      expect(backend.transaction({ timeoutMs: 50 }, async () => undefined)).rejects.toThrow(TimeoutError),
    ])
    await database.sessions(2, "application_name = 'few'")
    for (const { resolve } of held) resolve()
    await Promise.all(held.map(({ running }) => running))
    expect(await statements.select('items')).toHaveLength(1)
    await backend.close()
  })

  it('are not all lent to transactions, so that other calls get through', async () => {
    const backend = await database.open(schema, { max: 4, connectionTimeoutMs: 1_500 })
    const statements = new Statements(backend, schema)
    const ends = Promise.withResolvers<void>()
    const held = [0, 1, 2].map(() => backend.transaction({}, () => ends.promise))
    await expect(backend.transaction({}, async () => undefined)).rejects.toThrow(TimeoutError)
    expect(await statements.select('items')).toHaveLength(1)
    const waiting = backend.transaction({}, async () => 'came')
    ends.resolve()
    expect(await waiting).toBe('came')
    await Promise.all(held)
    await backend.close()
  })

  it('that the server ends in the packet that begins them are an error of the call, and end no process', async () => {
    const message = (type: string, ...parts: (string | Buffer)[]) => {
      const body = Buffer.concat(parts.map((part) => Buffer.from(part)))
      const head = Buffer.alloc(5, type)
      head.writeInt32BE(body.length + 4, 1)
      return Buffer.concat([head, body])
    }
    const welcome = [message('R', Buffer.alloc(4)), message('Z', 'I')]
    const farewell = message('E', 'SFATAL\0', 'C57P01\0', 'Mterminating connection\0', '\0')
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => socket.end(Buffer.concat([...welcome, farewell])))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const backend = backendOf({ url: `postgres://kim@127.0.0.1:${port}/none` })
    await expect(backend.open()).rejects.toMatchObject({ name: 'ConnectionError' })
    await backend.close()
    server.close()
  })

  it('left in a transaction by raw SQL are not used again, and the SQL is refused', async () => {
    const backend = await database.open(schema, { max: 1 })
    await expect(backend.sql?.('begin; delete from items', [])).rejects.toMatchObject({ code: 'TRANSACTION_MISUSE' })
    expect(await new Statements(backend, schema).select('items')).toHaveLength(1)
    await backend.close()
  })

  it('keep a bounded number of prepared statements', async () => {
    const backend = await database.open(schema, { max: 1 })
    const plans = new Plans(backend)
    for (let n = 1; n <= 600; n++) {
      const asked = new Statements(backend, schema).selecting('items', {
        where: { or: Array.from({ length: n % 30 }, () => ({ id: n })) },
        fields: { [`f${n}`]: 'name' },
      })
      await backend.execute(
        plans.get(String(n), () => asked.statement),
        asked.parameters,
      )
    }
    const counted = await backend.sql?.('select count(*)::integer as n from pg_prepared_statements', [])
    expect(counted?.rows[0]?.['n']).toBeLessThanOrEqual(500)
    await backend.close()
  })
})

describe('closing', () => {
  it('lets what runs finish and refuses what comes later', async () => {
    const backend = await database.open(schema)
    const statements = new Statements(backend, schema)
    const inside = Promise.withResolvers<void>()
    const running = backend.transaction({}, async (connection) => {
      await inside.promise
      return statements.select('items', {}, connection)
    })
    const closed = backend.close()
    await expect(statements.select('items')).rejects.toMatchObject({ name: 'ConnectionError', code: 'CLOSED' })
    inside.resolve()
    expect(await running).toHaveLength(1)
    await closed
    await backend.close()
  })

  it('comes without complaint when it was never opened', async () => {
    const backend = backendOf({ url: database.url.href })
    await expect(backend.ping()).rejects.toThrow(ConfigurationError)
    await backend.close()
  })
})

describe('prepared statements', () => {
  it('that no longer fit a changed table are prepared anew', async () => {
    const backend = await database.open(schema, { max: 1 })
    const statements = new Statements(backend, schema)
    const asked = statements.selecting('items')
    const plan = backend.prepare(asked.statement)
    await backend.execute(plan, asked.parameters)
    await database.query('alter table items alter column name type varchar(100)')
    expect((await backend.execute(plan, asked.parameters)).rows).toHaveLength(1)
    await database.query('alter table items alter column name type text')
    await expect(
      backend.transaction({}, (connection) => connection.execute(plan, asked.parameters)),
    ).rejects.toMatchObject({ name: 'SerializationError', retryable: true })
    await backend.transaction({}, (connection) => connection.execute(plan, asked.parameters))
    await backend.close()
  })

  it('that a pooler has thrown away are prepared anew', async () => {
    const backend = await database.open(schema, { max: 1 })
    const statements = new Statements(backend, schema)
    const asked = statements.selecting('items')
    const plan = backend.prepare(asked.statement)
    await backend.execute(plan, asked.parameters)
    await backend.sql?.('deallocate all', [])
    expect((await backend.execute(plan, asked.parameters)).rows).toHaveLength(1)
    await backend.close()
  })
})
