import type { ForeignKey, ModelCheck, ModelIndex } from './model.ts'
import { distinctName } from './names.ts'

/** A model while it is being resolved. */
interface Named {
  readonly table: string
  indexes: readonly ModelIndex[]
  foreignKeys: readonly ForeignKey[]
  checks: readonly ModelCheck[]
}

/**
 * Gives indexes and constraints that would be called like another, or like a table, names of their own: `sessionId` of `user` and `id` of
 * `userSession` would both have the index `user_session_id_unique`, and databases have one room for all such names.
 */
export function tellApart(models: readonly Named[]): void {
  const times = new Map<string, number>()
  for (const { table, indexes, foreignKeys, checks } of models) {
    for (const name of [table, ...[...indexes, ...foreignKeys, ...checks].map((one) => one.name)]) {
      times.set(name.toLowerCase(), (times.get(name.toLowerCase()) ?? 0) + 1)
    }
  }
  for (const model of models) {
    const renamed = <Thing extends { readonly name: string }>(thing: Thing, of: unknown): Thing =>
      (times.get(thing.name.toLowerCase()) ?? 0) < 2
        ? thing
        : { ...thing, name: distinctName(thing.name, JSON.stringify([model.table, of])) }
    model.indexes = model.indexes.map((index) => renamed(index, [index.fields, index.unique]))
    model.foreignKeys = model.foreignKeys.map((key) => renamed(key, ['foreign', key.column]))
    model.checks = model.checks.map((check) => renamed(check, ['check', check.where]))
  }
}
