import { isHoldfastError } from '../base/errors.ts'
import { type Migration, readMigration } from './migration.ts'
import { assertLeadBack, stateAfterAll } from './plan.ts'
import { stateContent } from './state-content.ts'

/**
 * Whether migrations are fit to be merged: each follows from those before it, each `down` leads back, and, beside those of another branch, both
 * orders lead to the same schema.
 *
 * @param others the migrations of the other branch; those of the same name are what both have in common.
 * @returns what is wrong, one sentence each.
 */
export function checkMigrations(ours: readonly Migration[], others: readonly Migration[] = []): string[] {
  const [our, other] = [ours, others].map((list) => list.map(readMigration)) as [
    ReturnType<typeof readMigration>[],
    ReturnType<typeof readMigration>[],
  ]
  const wrong = [...problemsOf(() => assertLeadBack(our)), ...problemsOf(() => stateContent(stateAfterAll(our)))]
  const known = new Map(other.map((one) => [one.name, one]))
  const common = our.filter(({ name }) => known.has(name))
  for (const { name, checksum } of common) {
    if (known.get(name)?.checksum !== checksum) wrong.push(`The migration ${name} is another on each branch.`)
  }
  const names = new Set(our.map(({ name }) => name))
  const onlyOurs = our.filter(({ name }) => !known.has(name))
  const onlyOther = other.filter(({ name }) => !names.has(name))
  if (wrong.length > 0 || onlyOurs.length === 0 || onlyOther.length === 0) return wrong
  const states: string[] = []
  for (const order of [
    [...common, ...onlyOurs, ...onlyOther],
    [...common, ...onlyOther, ...onlyOurs],
  ]) {
    wrong.push(...problemsOf(() => states.push(stateContent(stateAfterAll(order)))))
  }
  if (wrong.length > 0 || states[0] === states[1]) return wrong
  const list = (migrations: readonly { readonly name: string }[]): string =>
    migrations.map(({ name }) => name).join(', ')
  return [`${list(onlyOurs)} and ${list(onlyOther)} do not commute: each order leads to another schema.`]
}

function problemsOf(work: () => unknown): string[] {
  try {
    work()
    return []
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return [error.message]
  }
}
