import type { Item, NewItem } from '../items.ts'

/** A value, or the promise of one: the synchronous peer gives values. */
export type Awaitable<T> = T | Promise<T>

/** What a task changes of an item. */
export interface Change {
  readonly name: string
  readonly score: number
}

/**
 * The data layer of an application, written once for each peer as its documentation recommends for speed. All of them take and
 * give the same content.
 */
export interface ItemStore {
  getById(id: number): Awaitable<Item | null>
  /** The items of a group, by id. */
  findByGroup(groupId: number): Awaitable<Item[]>
  /** Inserts one item in a commit of its own and gives it back with its id. */
  insert(item: NewItem): Awaitable<Item>
  /** Changes an item that still has this version, counts the version up, and gives the item as it is then; fails otherwise. */
  update(id: number, version: number, change: Change): Awaitable<Item>
  /** Inserts many items, all or none, and gives them back with their ids. */
  insertMany(items: readonly NewItem[]): Awaitable<Item[]>
  /** One transaction: inserts an item, changes the score of another, deletes a third; gives the new item's id. */
  threeWrites(item: NewItem, changedId: number, score: number, deletedId: number): Awaitable<number>
  /** Deletes all items with a higher id. */
  removeAbove(id: number): Awaitable<void>
  close(): Awaitable<void>
}

/** How a peer is opened. */
export interface Target {
  /** A file that does not exist yet, or the URL of an empty database. */
  readonly url: string
  /** SQLite: `full` syncs every commit to the disk, `relaxed` does not. */
  readonly durability: 'full' | 'relaxed'
}

/** Connections that every peer may open to Postgres: the default of `pg`. */
export const POOL_SIZE = 10

/** What each module in `peers/sqlite` and `peers/postgres` exports. */
export interface PeerModule {
  open(target: Target): Promise<ItemStore>
}

/** The failure of an update whose version is another one by now. */
export class StaleVersion extends Error {}
