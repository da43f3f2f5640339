import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { kill, type StartedProcess, startProcess } from '../../../../../test/crash/processes.ts'
import { SqliteFiles, sqliteDrivers } from '../../../../../test/sqlite.ts'
import { recordsSchema } from '../../../../../test/sqlite-records.ts'
import type { Statements } from '../../../../../test/statements.ts'

describe.each(sqliteDrivers)('several processes on one SQLite file, through %s', (driver) => {
  let files: SqliteFiles
  let db: Statements
  let children: StartedProcess[]

  beforeEach(async () => {
    files = new SqliteFiles()
    db = await files.statements(recordsSchema, { driver })
    children = []
  })
  afterEach(async () => {
    for (const child of children) await kill(child)
    await files[Symbol.asyncDispose]()
  })

  function start(task: string, name: string): StartedProcess {
    const child = startProcess('sqlite-process.ts', files.path(), task, name, driver)
    children.push(child)
    return child
  }

  const numbersOf = async (name: string): Promise<unknown[]> => {
    const rows = await db.select('records', { where: { name }, orderBy: [{ number: 'asc' }] })
    return rows.map(({ number }) => number)
  }
  const upTo = (last: number): number[] => Array.from({ length: last }, (_, at) => at + 1)

  it('write at once and lose nothing', async () => {
    const writers = ['one', 'two'].map((name) => start('insert', name))
    const ended = Promise.all(writers.map((writer) => once(writer, 'exit')))
    for (let number = 1; number <= 300; number++) await db.insert('records', [{ name: 'here', number }])
    expect(await ended).toEqual([
      [0, null],
      [0, null],
    ])
    for (const name of ['one', 'two', 'here']) expect(await numbersOf(name)).toEqual(upTo(300))
  })

  it('keep every write that was acknowledged before one of them was killed', async () => {
    for (let round = 1; round <= 3; round++) {
      const name = `round ${round}`
      const writer = start('insert', name)
      const acknowledged: number[] = []
      writer.on('message', (number: number) => {
        acknowledged.push(number)
        if (number === round * 7) writer.kill('SIGKILL')
      })
      await once(writer, 'exit')
      const found = await numbersOf(name)
      expect(acknowledged.length).toBeGreaterThanOrEqual(round * 7)
      expect(found).toEqual(upTo(found.length))
      expect(found.length).toBeGreaterThanOrEqual(acknowledged.length)
    }
  })

  it('wait for each other without blocking, and no longer than they may', async () => {
    const impatient = await files.open(recordsSchema, { driver, busyTimeoutMs: 60 })
    const holder = start('hold', 'holder')
    await once(holder, 'message')
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const { statement, parameters } = db.inserting('records', [{ name: 'here', number: 1 }])
    const write = () => impatient.execute(impatient.prepare(statement), parameters)
    await expect(write()).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true })
    await expect(impatient.transaction({}, async () => 'never')).rejects.toMatchObject({ code: 'TIMEOUT' })
    const together = await impatient.executeTogether([{ plan: impatient.prepare(statement), parameters }])
    expect(together[0]?.error).toMatchObject({ code: 'TIMEOUT' })
    clearInterval(timer)
    expect(turns).toBeGreaterThan(3)
    expect(await numbersOf('holder')).toEqual([])

    const patient = db.insert('records', [{ name: 'here', number: 2 }])
    holder.send('go on')
    await patient
    await write()
    expect(await numbersOf('here')).toEqual([1, 2])
    expect(await numbersOf('holder')).toEqual([1])
  })

  it('are woken by what another commits, and by their own notifications', async () => {
    const other = start('notify', 'other')
    await once(other, 'message')
    const woken = Promise.withResolvers<void>()
    const unsubscribe = await db.backend.wake?.('records', woken.resolve)
    other.send('go on')
    await woken.promise
    await unsubscribe?.()

    const here = Promise.withResolvers<void>()
    const again = await db.backend.wake?.('records', here.resolve)
    await db.backend.notify?.('records')
    await here.promise
    await again?.()
  })
})
