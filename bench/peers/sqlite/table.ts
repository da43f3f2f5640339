import Database from 'better-sqlite3'
import type { Item, NewItem } from '../../items.ts'
import type { Target } from '../store.ts'

/** The table as one writes it by hand; Holdfast makes its own. Ids are never used again, as on Postgres. */
export const ITEMS_TABLE = `
  create table items (
    id integer primary key autoincrement,
    group_id integer not null,
    name text not null,
    email text not null,
    active integer not null,
    score real not null,
    created_at integer not null,
    version integer not null default 1
  );
  create index items_group_id on items (group_id);
`

/** An item as SQLite has it: no booleans, no timestamps. */
export interface ItemRow {
  readonly id: number
  readonly groupId: number
  readonly name: string
  readonly email: string
  readonly active: number
  readonly score: number
  readonly createdAt: number
  readonly version: number
}

/** Decodes a row, as an application would. */
export function toItem(row: ItemRow): Item {
  return {
    id: row.id,
    groupId: row.groupId,
    name: row.name,
    email: row.email,
    active: row.active === 1,
    score: row.score,
    createdAt: new Date(row.createdAt),
    version: row.version,
  }
}

/** The item that an insert made. */
export function inserted(id: number, item: NewItem): Item {
  return { id, ...item, version: 1 }
}

/** How far commits go to the disk, as SQLite calls it. */
export function synchronous(target: Target): 'full' | 'normal' {
  return target.durability === 'full' ? 'full' : 'normal'
}

/** Makes the file with its table in WAL mode, for libraries that open it themselves. */
export function createFile(target: Target): void {
  const database = openDatabase(target)
  database.exec(ITEMS_TABLE)
  database.close()
}

/** Opens a file with better-sqlite3, in WAL mode. */
export function openDatabase(target: Target): Database.Database {
  const database = new Database(target.url)
  database.pragma('journal_mode = wal')
  database.pragma(`synchronous = ${synchronous(target)}`)
  return database
}
