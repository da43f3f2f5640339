import { StorageError } from '../../base/errors.ts'
import type { ForeignKey, Model, Models } from '../../schema/index.ts'
import type { Definition } from './definition.ts'

/** A foreign key of an existing table that refers to another. */
export interface Referrer {
  readonly from: Definition
  readonly foreignKey: ForeignKey
  /** Where the reference stands in the rows of `from`. */
  readonly slot: number
}

/** Which tables there are. It never changes: an edit of the schema makes another, for which plans are made anew. */
export class Catalog {
  readonly #models: Models
  readonly #definitions: ReadonlyMap<string, Definition>
  readonly #referrers = new Map<string, readonly Referrer[]>()

  constructor(models: Models, definitions: ReadonlyMap<string, Definition> = new Map()) {
    this.#models = models
    this.#definitions = definitions
  }

  /** All tables. */
  definitions(): Iterable<Definition> {
    return this.#definitions.values()
  }

  /** The table of this name in the database; undefined when there is none. */
  byTable(table: string): Definition | undefined {
    return this.#definitions.get(table)
  }

  /** The table of a model; undefined when there is none. */
  find(model: string): Definition | undefined {
    return this.#definitions.get(this.#models.get(model)?.table ?? model) ?? this.#byModel(model)
  }

  /** A table that was made from a model the storage does not have. */
  #byModel(name: string): Definition | undefined {
    for (const definition of this.#definitions.values()) if (definition.model.name === name) return definition
    return undefined
  }

  /**
   * The table of a model.
   *
   * @throws StorageError when there is none.
   */
  definitionOf(model: string): Definition {
    const definition = this.find(model)
    if (definition !== undefined) return definition
    throw new StorageError('DRIVER', `There is no table of ${model}.`, {
      hint: 'Create the tables of the schema first.',
    })
  }

  /** The model of a table as it was created, for `accessOf`. */
  get(model: string): Model {
    return this.definitionOf(model).model
  }

  /** The foreign keys that refer to a table. */
  referrersOf({ model: { name, table } }: Definition): readonly Referrer[] {
    const known = this.#referrers.get(table)
    if (known !== undefined) return known
    const referrers = [...this.#definitions.values()].flatMap((from) =>
      from.model.foreignKeys
        .filter((foreignKey) => foreignKey.model === name)
        .map((foreignKey) => ({ from, foreignKey, slot: from.slotOf(foreignKey.column) })),
    )
    this.#referrers.set(table, referrers)
    return referrers
  }

  /** The catalog with a table added or replaced. */
  with(definition: Definition): Catalog {
    return new Catalog(this.#models, new Map(this.#definitions).set(definition.model.table, definition))
  }

  /** The catalog without a table. */
  without(table: string): Catalog {
    const definitions = new Map(this.#definitions)
    definitions.delete(table)
    return new Catalog(this.#models, definitions)
  }
}
