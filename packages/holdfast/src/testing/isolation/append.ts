import { defineSchema, type Schema, type Storage, type Table, t, table } from '../../index.ts'

type List = { id: number; items: number[] }

/** The schema of the random run: lists that transactions read and append to. */
export const listsSchema: Schema<{ lists: Table<List, List, number> }, Record<never, never>> = defineSchema({
  lists: table({ id: t.integer().primaryKey(), items: t.json<number[]>() }),
})

/** What a committed transaction read and appended, by list. */
export interface Committed {
  readonly reads: readonly { readonly list: number; readonly items: readonly number[] }[]
  readonly appends: readonly { readonly list: number; readonly item: number }[]
}

const LISTS = 4

/**
 * Runs random transactions side by side that read lists and append to them, as Elle does (https://github.com/jepsen-io/elle): since every item
 * is appended once, what was read tells the order of all writes.
 */
export async function runAppends(
  storage: Storage<typeof listsSchema>,
  callers: number,
  each: number,
): Promise<Committed[]> {
  await storage.repository('lists').createMany(Array.from({ length: LISTS }, (_, id) => ({ id, items: [] })))
  const history: Committed[] = []
  let item = 0
  const one = async () => {
    const plan = Array.from({ length: 2 + Math.floor(Math.random() * 3) }, () => ({
      list: Math.floor(Math.random() * LISTS),
      item: Math.random() < 0.5 ? ++item : null,
    }))
    const committed = await storage.transaction(
      async (tx) => {
        const reads: { list: number; items: readonly number[] }[] = []
        const appends: { list: number; item: number }[] = []
        for (const step of plan) {
          const { items } = await tx.repository('lists').getById(step.list)
          if (appends.every(({ list }) => list !== step.list)) reads.push({ list: step.list, items })
          if (step.item === null) continue
          await tx.repository('lists').update(step.list, { items: [...items, step.item] })
          appends.push({ list: step.list, item: step.item })
        }
        return { reads, appends }
      },
      { retries: 50 },
    )
    history.push(committed)
  }
  const caller = async () => {
    for (let run = 0; run < each; run++) await one()
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return history
}

/**
 * Looks for transactions that fit no serial order: a cycle of "wrote before", "was read by" and "read before it was written".
 *
 * @param final the lists at the end, which hold the order of all appends.
 * @returns the transactions of a cycle, by their place in the history; null where there is none.
 */
export function findCycle(
  history: readonly Committed[],
  final: ReadonlyMap<number, readonly number[]>,
): number[] | null {
  const writer = new Map(history.flatMap(({ appends }, index) => appends.map(({ item }) => [item, index])))
  const after = history.map(() => new Set<number>())
  const link = (from: number | undefined, to: number | undefined) => {
    if (from !== undefined && to !== undefined && from !== to) after[from]?.add(to)
  }
  for (const items of final.values()) {
    for (const [at, item] of items.entries()) link(writer.get(items[at - 1] ?? -1), writer.get(item))
  }
  for (const [index, { reads }] of history.entries()) {
    for (const { list, items } of reads) {
      link(writer.get(items.at(-1) ?? -1), index)
      link(index, writer.get(final.get(list)?.[items.length] ?? -1))
    }
  }
  return cycleIn(after)
}

function cycleIn(after: readonly ReadonlySet<number>[]): number[] | null {
  const state = new Map<number, 'open' | 'done'>()
  for (let start = 0; start < after.length; start++) {
    const path: { readonly node: number; readonly rest: number[] }[] = []
    const enter = (node: number) => {
      state.set(node, 'open')
      path.push({ node, rest: [...(after[node] ?? [])] })
    }
    if (!state.has(start)) enter(start)
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.rest.pop()
      if (next === undefined) {
        state.set(top.node, 'done')
        path.pop()
      } else if (state.get(next) === 'open') {
        return path.slice(path.findIndex(({ node }) => node === next)).map(({ node }) => node)
      } else if (!state.has(next)) enter(next)
    }
  }
  return null
}
