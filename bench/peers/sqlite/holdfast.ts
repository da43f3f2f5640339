import { openStorage } from 'holdfast'
import { holdfastStore, schema } from '../holdfast.ts'
import type { ItemStore, Target } from '../store.ts'

/** Holdfast on better-sqlite3, as it comes. */
export async function open(target: Target): Promise<ItemStore> {
  return holdfastStore(await openStorage(`sqlite:${target.url}`, { schema, durability: target.durability }))
}
