import { describe, expect, it, onTestFinished } from 'vitest'
import { SqliteConnection } from './connection.ts'
import { loadDriver } from './load-driver.ts'

describe.each(['better-sqlite3', 'node:sqlite'] as const)('a transaction of small statements, with %s', (name) => {
  async function open(): Promise<SqliteConnection> {
    const connection = new SqliteConnection((await loadDriver(name)).open(':memory:'))
    onTestFinished(() => connection.close())
    return connection
  }

  const storeOf = ({ database }: SqliteConnection) => database.prepareRead('pragma temp_store').get()

  it('keeps what undoes a statement in memory, and nothing else', async () => {
    const connection = await open()
    connection.beginSmallStatements()
    expect(connection.undoesInMemory).toBe(true)
    expect(connection.database.inTransaction).toBe(true)
    expect(storeOf(connection)).toEqual([0])
    connection.commit()
    connection.begin()
    expect(connection.undoesInMemory).toBe(false)
    connection.rollback()
  })

  it('leaves the temporary tables of others alone', async () => {
    const connection = await open()
    connection.database.exec('create temporary table kept (n integer)')
    connection.beginSmallStatements()
    expect(connection.undoesInMemory).toBe(false)
    connection.database.exec('insert into kept values (1)')
    connection.commit()
    expect(connection.database.prepareRead('select n from kept').all()).toEqual([[1]])
  })

  it('that cannot begin changes nothing', async () => {
    const connection = await open()
    connection.begin()
    expect(() => connection.beginSmallStatements()).toThrow('within a transaction')
    expect(storeOf(connection)).toEqual([0])
    connection.rollback()
  })
})
