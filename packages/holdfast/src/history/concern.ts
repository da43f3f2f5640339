import type { Model, Models } from '../schema/index.ts'
import type { Delete, Insert, Update } from '../statement/index.ts'
import type { History } from './models.ts'

/** A foreign key through which a write to one model changes rows of another. */
export interface Reaching {
  /** The model that refers. */
  readonly child: Model
  /** The column that refers. */
  readonly column: string
  readonly action: 'cascade' | 'setNull'
}

/**
 * Which writes concern which histories: those to a model with one, and those that a foreign key carries on to it. Found once for a
 * storage.
 */
export class Concerns {
  readonly #histories: ReadonlyMap<string, History>
  readonly #models: Models
  readonly #deleting = new Map<string, ReadonlySet<string>>()
  readonly #moving = new Map<string, ReadonlySet<string>>()

  constructor(histories: ReadonlyMap<string, History>, models: Models) {
    this.#histories = histories
    this.#models = models
  }

  historyOf(model: string): History | undefined {
    return this.#histories.get(model)
  }

  /** Whether some write to the model concerns a history. */
  concerns(model: Model): boolean {
    return (
      this.#histories.size > 0 &&
      (this.#histories.has(model.name) ||
        this.#deletedWith(model.name).size > 0 ||
        this.#movedWith(model.name).size > 0)
    )
  }

  /** The histories that a statement may have something for. */
  of(statement: Insert | Update | Delete): readonly History[] {
    const names = new Set([statement.model])
    if (statement.kind === 'delete') for (const name of this.#deletedWith(statement.model)) names.add(name)
    else if (this.changesKey(statement)) for (const name of this.#movedWith(statement.model)) names.add(name)
    return [...names].flatMap((name) => this.#histories.get(name) ?? [])
  }

  /** Whether a statement sets a part of the primary key. */
  changesKey(statement: Insert | Update): boolean {
    const set = statement.kind === 'update' ? statement.set : (statement.onConflict?.set ?? [])
    const key = this.#models.get(statement.model)?.primaryKey ?? []
    return set.some(({ field, operation }) => operation !== 'proposed' && key.includes(field.column))
  }

  /** The foreign keys through which deleting rows of a model comes to a history. */
  whenDeleted(model: string): Reaching[] {
    return this.#referring(model, 'onDelete').filter(
      ({ child, action }) =>
        this.#histories.has(child.name) || (action === 'cascade' && this.#deletedWith(child.name).size > 0),
    )
  }

  /** The foreign keys through which changing the key of a row comes to a history. */
  whenMoved(model: string): Reaching[] {
    return this.#referring(model, 'onUpdate').filter(
      ({ child, column }) =>
        this.#histories.has(child.name) || (isKey(child, column) && this.#movedWith(child.name).size > 0),
    )
  }

  #deletedWith(model: string): ReadonlySet<string> {
    return this.#reach(model, this.#deleting, 'onDelete', ({ action }) => action === 'cascade')
  }

  #movedWith(model: string): ReadonlySet<string> {
    return this.#reach(model, this.#moving, 'onUpdate', ({ child, column }) => isKey(child, column))
  }

  /** The models with a history whose rows change along with those of a model. */
  #reach(
    model: string,
    known: Map<string, ReadonlySet<string>>,
    event: 'onDelete' | 'onUpdate',
    goesOn: (reaching: Reaching) => boolean,
  ): ReadonlySet<string> {
    const found = known.get(model)
    if (found !== undefined) return found
    const reached = new Set<string>()
    const seen = new Set<string>()
    const waiting = [model]
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      if (seen.has(name)) continue
      seen.add(name)
      for (const reaching of this.#referring(name, event)) {
        if (this.#histories.has(reaching.child.name)) reached.add(reaching.child.name)
        if (goesOn(reaching)) waiting.push(reaching.child.name)
      }
    }
    known.set(model, reached)
    return reached
  }

  #referring(model: string, event: 'onDelete' | 'onUpdate'): Reaching[] {
    return [...this.#models.values()].flatMap((child) =>
      child.foreignKeys.flatMap(({ model: target, column, [event]: action }) =>
        target === model && action !== 'restrict' ? [{ child, column, action }] : [],
      ),
    )
  }
}

function isKey(model: Model, column: string): boolean {
  return model.primaryKey.includes(column)
}
