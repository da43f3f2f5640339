/** The record that every data workload reads and writes: eight columns, as small applications have them. */
export interface Item {
  readonly id: number
  readonly groupId: number
  readonly name: string
  readonly email: string
  readonly active: boolean
  readonly score: number
  readonly createdAt: Date
  readonly version: number
}

/** What an insert is given; the database counts `id` up and `version` starts at 1. */
export type NewItem = Omit<Item, 'id' | 'version'>

/** How many items are there before a workload starts; their ids are 1 to this. */
export const SEEDED = 10_000

/** How many of them share a group. */
export const GROUP_SIZE = 50

const FIRST_DAY = Date.UTC(2025, 0, 1)

/** The content of item `n`: the same in every process. */
export function newItem(n: number): NewItem {
  return {
    groupId: Math.floor((n - 1) / GROUP_SIZE),
    name: `Item number ${n}`,
    email: `person.${n}@example.com`,
    active: n % 3 === 0,
    score: n * 1.25,
    createdAt: new Date(FIRST_DAY + n * 60_000),
  }
}

/** Item `id` as it was seeded. */
export function seededItem(id: number): Item {
  return { id, ...newItem(id), version: 1 }
}

/** The id that operation `n` of a workload uses: all of them in turn, in an order that is no order. */
export function scatteredId(n: number): number {
  return 1 + ((n * 7_919) % SEEDED)
}

/** The fields alone: libraries give records of their own classes. */
export function plain(item: Item | null): Item | null {
  if (item === null) return null
  const { id, groupId, name, email, active, score, createdAt, version } = item
  return { id, groupId, name, email, active, score, createdAt, version }
}
