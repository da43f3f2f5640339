import type { Row, Session } from '../backend/index.ts'
import type { Model } from '../schema/index.ts'
import { oneOf, outputs } from '../statement/index.ts'
import { type Change, changeOf, keyOfRow } from './change.ts'
import type { Concerns, Reaching } from './concern.ts'

/** A value that is known once the statement has run. */
export class Later {
  value: unknown
}

interface Fate {
  deleted: boolean
  row: Row
  readonly was: Row
}

/** What foreign keys carry on to other records, by model. A record is named once, with what becomes of it in the end. */
export class Carried {
  readonly #session: Session
  readonly #concerns: Concerns
  readonly #fates = new Map<string, Map<string, Fate>>()

  constructor(session: Session, concerns: Concerns) {
    this.#session = session
    this.#concerns = concerns
  }

  /** Follows rows that are about to be deleted; a statement for each foreign key and level, however many rows there are. */
  async deleted(model: Model, rows: readonly Row[]): Promise<void> {
    const seen = new Map<string, Set<string>>()
    const waiting: [Model, readonly Row[]][] = [[model, rows]]
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [parent, gone] = next
      const fresh = unseen(seen, parent, gone)
      if (fresh.length === 0) continue
      for (const reaching of this.#concerns.whenDeleted(parent.name)) {
        const { child, column, action } = reaching
        const children = await this.#referring(
          reaching,
          fresh.map((row) => row[parent.primaryKey[0] as string]),
        )
        for (const row of children) this.#note(child, row, action === 'cascade' ? null : { [column]: null })
        if (action === 'cascade') waiting.push([child, children])
      }
    }
  }

  /** Follows a row whose key is about to change. */
  async moved(model: Model, from: unknown, to: Later | null): Promise<void> {
    for (const reaching of this.#concerns.whenMoved(model.name)) {
      const { child, column, action } = reaching
      const value = action === 'cascade' ? to : null
      for (const row of await this.#referring(reaching, [from])) {
        this.#note(child, row, { [column]: value })
        if (child.primaryKey.length === 1 && child.primaryKey[0] === column) await this.moved(child, from, value)
      }
    }
  }

  /** The changes of one model. */
  changes(model: Model): Change[] {
    const changes: Change[] = []
    for (const { deleted, row: patched, was } of this.#fates.get(model.name)?.values() ?? []) {
      const row = resolved(patched)
      if (deleted || keyOfRow(model, row) !== keyOfRow(model, was)) changes.push(changeOf(model, 'delete', was))
      if (!deleted)
        changes.push(changeOf(model, keyOfRow(model, row) === keyOfRow(model, was) ? 'update' : 'create', row))
    }
    return changes
  }

  #note(model: Model, row: Row, patch: Row | null): void {
    const fates = this.#fates.get(model.name) ?? new Map<string, Fate>()
    this.#fates.set(model.name, fates)
    const key = keyOfRow(model, row)
    const known = fates.get(key) ?? { deleted: false, row, was: row }
    fates.set(key, { deleted: known.deleted || patch === null, row: { ...known.row, ...patch }, was: known.was })
  }

  /** Where they could change before they are carried along, they are locked. */
  async #referring({ child, column }: Reaching, keys: readonly unknown[]): Promise<Row[]> {
    const locked = mayChange(this.#session)
    const plan = this.#session.plan(`${child.name} ${locked ? 'locked ' : ''}referring ${column}`, () => ({
      kind: 'select',
      model: child.name,
      joins: [],
      outputs: outputs(child.columns.map(({ name }) => name)),
      where: oneOf(column, 0),
      orderBy: [],
      ...(locked && { locked }),
    }))
    return (await this.#session.execute(plan, [keys])).rows
  }
}

/** Whether what was read may be something else when it is written, and the database would not say so. */
export function mayChange({ isolation }: Session): boolean {
  return isolation === 'read committed'
}

function resolved(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value instanceof Later ? value.value : value]),
  )
}

/** The rows that were not come by yet. */
function unseen(seen: Map<string, Set<string>>, model: Model, rows: readonly Row[]): Row[] {
  const keys = seen.get(model.name) ?? new Set()
  seen.set(model.name, keys)
  return rows.filter((row) => {
    const key = keyOfRow(model, row)
    return !keys.has(key) && keys.add(key)
  })
}
