import { openStorage, type Storage } from 'holdfast'
import type { Databases } from '../harness/databases.ts'
import { newItem } from '../items.ts'
import { schema } from '../peers/holdfast.ts'

/** How many rows the large table has. */
export const MILLION = 1_000_000

const BATCH = 10_000

/** Fills a storage with items 1 to `rows`. */
export async function fill(storage: Storage<typeof schema>, rows: number): Promise<void> {
  const items = storage.repository('items')
  for (let first = 1; first <= rows; first += BATCH) {
    const length = Math.min(BATCH, rows - first + 1)
    await items.createMany(Array.from({ length }, (_, index) => newItem(first + index)))
  }
}

const made = new WeakMap<Databases, Promise<string>>()

/** The path of a SQLite file with a million items, made once a run. */
export function millionRows(databases: Databases): Promise<string> {
  let path = made.get(databases)
  if (path === undefined) {
    path = make(databases.files.next('million'))
    made.set(databases, path)
  }
  return path
}

async function make(path: string): Promise<string> {
  await using storage = await openStorage(`sqlite:${path}`, { schema, durability: 'relaxed' })
  await fill(storage, MILLION)
  return path
}
