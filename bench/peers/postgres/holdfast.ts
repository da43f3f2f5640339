import { openStorage } from 'holdfast'
import { holdfastStore, schema } from '../holdfast.ts'
import type { ItemStore, Target } from '../store.ts'

/** Holdfast on `pg`, as it comes; its transactions are serializable, those of the others read committed. */
export async function open(target: Target): Promise<ItemStore> {
  return holdfastStore(await openStorage(target.url, { schema }))
}
