import type { Item, NewItem } from '../../items.ts'
import { type Change, StaleVersion } from '../store.ts'
import { type ItemRow, inserted, toItem } from './table.ts'

/** What better-sqlite3 and node:sqlite have in common. */
export interface Driver {
  prepare(text: string): {
    get(...values: unknown[]): unknown
    all(...values: unknown[]): unknown[]
    run(...values: unknown[]): { readonly lastInsertRowid: number | bigint; readonly changes: number | bigint }
  }
  exec(text: string): unknown
}

const COLUMNS = 'id, group_id as groupId, name, email, active, score, created_at as createdAt, version'

/** The synchronous data layer that the raw peers share: statements prepared once, rows decoded by hand. */
export interface Statements {
  getById(id: number): Item | null
  findByGroup(groupId: number): Item[]
  insert(item: NewItem): Item
  update(id: number, version: number, change: Change): Item
  insertMany(items: readonly NewItem[]): Item[]
  threeWrites(item: NewItem, changedId: number, score: number, deletedId: number): number
  removeAbove(id: number): void
}

/** Prepares the statements on a file that has its table. */
export function prepareStatements(database: Driver): Statements {
  const byId = database.prepare(`select ${COLUMNS} from items where id = ?`)
  const byGroup = database.prepare(`select ${COLUMNS} from items where group_id = ? order by id`)
  const insertOne = database.prepare(
    'insert into items (group_id, name, email, active, score, created_at) values (?, ?, ?, ?, ?, ?)',
  )
  const updateOne = database.prepare(
    `update items set name = ?, score = ?, version = version + 1 where id = ? and version = ? returning ${COLUMNS}`,
  )
  const setScore = database.prepare('update items set score = ?, version = version + 1 where id = ?')
  const deleteOne = database.prepare('delete from items where id = ?')
  const deleteAbove = database.prepare('delete from items where id > ?')
  const begin = database.prepare('begin immediate')
  const commit = database.prepare('commit')
  const rollback = database.prepare('rollback')

  function insert(item: NewItem): Item {
    const { groupId, name, email, active, score, createdAt } = item
    const { lastInsertRowid } = insertOne.run(groupId, name, email, active ? 1 : 0, score, createdAt.getTime())
    return inserted(Number(lastInsertRowid), item)
  }

  function transaction<T>(work: () => T): T {
    begin.run()
    try {
      const result = work()
      commit.run()
      return result
    } catch (error) {
      rollback.run()
      throw error
    }
  }

  return {
    getById(id) {
      const row = byId.get(id)
      return row === undefined ? null : toItem(row as ItemRow)
    },
    findByGroup(groupId) {
      return (byGroup.all(groupId) as ItemRow[]).map(toItem)
    },
    insert,
    update(id, version, { name, score }) {
      // Not `get`: outside a transaction it gives the row without saying whether the commit after it failed.
      const [row] = updateOne.all(name, score, id, version)
      if (row === undefined) throw new StaleVersion()
      return toItem(row as ItemRow)
    },
    insertMany(items) {
      return transaction(() => items.map(insert))
    },
    threeWrites(item, changedId, score, deletedId) {
      return transaction(() => {
        const { id } = insert(item)
        setScore.run(score, changedId)
        deleteOne.run(deletedId)
        return id
      })
    },
    removeAbove(id) {
      deleteAbove.run(id)
    },
  }
}
