import { StorageError } from '../../base/errors.ts'
import {
  DOCUMENT_COLUMN,
  type FieldPath,
  type Model,
  type ModelColumn,
  type ModelIndex,
  readPath,
} from '../../schema/index.ts'
import { PATH, type ValueType } from './values.ts'

const TEXTS = new Set<ValueType['type']>(['text', 'enum', 'path'])

/** Where a field stands in a row. */
export interface Place {
  readonly slot: number
  /** The way from what stands in the slot to the value; empty when it stands there itself. */
  readonly path: readonly string[]
  readonly type: ValueType
}

/** A table as it was created: its model, with the indexes it has, and how its rows are laid out. */
export class Definition {
  readonly model: Model
  /** How many slots a row has: its columns, then the JSON paths that are indexed, so that an index finds them at hand. */
  readonly width: number
  /** The slots of the primary key. */
  readonly key: readonly number[]
  /** The slots of texts by which rows are ordered, apart from those that hold nothing but ASCII. */
  readonly textSlots: readonly number[]
  /** The slot of the generated key; -1 where there is none. */
  readonly generated: number
  readonly #slots = new Map<string, number>()
  readonly #paths: { readonly from: number; readonly path: readonly string[]; readonly slot: number }[] = []

  constructor(model: Model) {
    this.model = model
    for (const [slot, { name }] of model.columns.entries()) this.#slots.set(name, slot)
    this.generated = model.columns.findIndex((column) => column.generated)
    let width = model.columns.length
    for (const { column, path } of model.indexes.flatMap(({ fields }) => fields)) {
      const name = slotName(column, path)
      if (this.#slots.has(name)) continue
      this.#paths.push({ from: this.slotOf(column), path, slot: width })
      this.#slots.set(name, width++)
    }
    this.width = width
    this.key = model.primaryKey.map((column) => this.slotOf(column))
    const ordering = new Set([...this.key, ...model.indexes.flatMap((index) => this.slotsOf(index))])
    this.textSlots = [...ordering].filter((slot) => TEXTS.has(model.columns[slot]?.type ?? 'path'))
  }

  /** The same table with one more index. */
  withIndex(index: ModelIndex): Definition {
    return new Definition({ ...this.model, indexes: [...this.model.indexes, index] })
  }

  /** The slot of a column. */
  slotOf(column: string): number {
    const slot = this.#slots.get(column)
    if (slot !== undefined) return slot
    throw new StorageError('DRIVER', `The table ${this.model.table} has no column for ${column}.`, {
      hint: 'Migrate the table to the schema.',
    })
  }

  /** The column of a slot. */
  columnOf(column: string): ModelColumn {
    return this.model.columns[this.slotOf(column)] as ModelColumn
  }

  /** Where a field stands. */
  placeOf({ column, path }: FieldPath): Place {
    if (path.length === 0) return { slot: this.slotOf(column), path, type: this.columnOf(column) }
    const slot = this.#slots.get(slotName(column, path))
    return slot === undefined ? { slot: this.slotOf(column), path, type: PATH } : { slot, path: [], type: PATH }
  }

  /** The slots by which an index orders rows: its fields, then what it lacks of the primary key. */
  slotsOf({ fields }: Pick<ModelIndex, 'fields'>): number[] {
    const slots = fields.map((field) => this.placeOf(field).slot)
    return [...slots, ...this.key.filter((slot) => !slots.includes(slot))]
  }

  /** Fills in the slots of the indexed JSON paths. */
  complete(row: unknown[]): void {
    for (const { from, path, slot } of this.#paths) row[slot] = readPath(row[from], path)
  }

  /** The fields of an index as a user writes them; of the primary key, without one. */
  fieldNames(index: ModelIndex | undefined): string[] {
    if (index === undefined) return [...this.model.primaryKey]
    return index.fields.map((field) => fieldName(this.model, field))
  }
}

/** A field as a user writes it: `userId`, `owner.team`. */
export function fieldName(model: Model, { column, path }: FieldPath): string {
  const inDocument = model.kind === 'documents' && column === DOCUMENT_COLUMN && path.length > 0
  return (inDocument ? path : [column, ...path]).join('.')
}

/** Names hold no NUL. */
function slotName(column: string, path: readonly string[]): string {
  return path.length === 0 ? column : `${column}\0${path.join('\0')}`
}
