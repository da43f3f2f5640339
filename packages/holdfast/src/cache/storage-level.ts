import type { Row, Session } from '../backend/index.ts'
import { compareText } from '../statement/index.ts'
import { UNPLACED } from './change-order.ts'
import { type Entry, type KeyedEntry, markerUntil, newGeneration } from './entry.ts'
import { type CacheKey, CLEARED, keyOf, type StoredKey, storedKey, tagRow } from './key.ts'
import { type Found, type Marks, NOTHING, type SecondLevel, type Standing } from './second-level.ts'
import * as plans from './storage-plans.ts'

/** How long a deleted entry leaves its row. */
const BURIED_MS = 600_000

/** How many rows `clear` removes in one statement. */
const BATCH = 1_000

/** The rows of one cache in the table that all share, in a session: the storage itself or a transaction. */
export class StorageLevel implements SecondLevel {
  readonly rememberedMs: number = BURIED_MS / 2
  readonly #session: Session
  readonly #cache: string
  readonly #writer: number
  #epoch: number | undefined
  /** Changes whenever an answer to what the epoch is would be out of date. */
  #asked = 0

  constructor(session: Session, cache: string, writer: number) {
    this.#session = session
    this.#cache = cache
    this.#writer = writer
  }

  forget(): void {
    this.#asked++
    this.#epoch = undefined
  }

  async read(key: CacheKey): Promise<Found> {
    const { rows } = await this.#session.execute(plans.readOne(this.#session), [this.#cache, storedKey(key).key])
    return rows.length === 0 ? NOTHING : ((await this.#foundIn(rows))[0] as Found)
  }

  async readMany(keys: readonly CacheKey[]): Promise<Found[]> {
    const stored = keys.map((key) => storedKey(key).key)
    const { rows } = await this.#session.execute(plans.readMany(this.#session), [this.#cache, stored])
    const found = await this.#foundIn(rows)
    const byKey = new Map(rows.map(({ key }, index) => [key, found[index] as Found]))
    return stored.map((key) => byKey.get(key) ?? NOTHING)
  }

  async standing(tags: readonly string[]): Promise<Standing> {
    const [epoch, marks] = await Promise.all([this.#lastCleared(), this.#marks(tags)])
    return { epoch, marks }
  }

  async #marks(tags: readonly string[]): Promise<Marks> {
    if (tags.length === 0) return {}
    const rows = tags.map(tagRow)
    const found = await this.#generations(rows)
    return Object.fromEntries(tags.map((tag, index) => [tag, found.get((rows[index] as StoredKey).key) ?? 0]))
  }

  async write(entries: readonly KeyedEntry[]): Promise<void> {
    if (entries.length === 0) return
    const tags = [...new Set(entries.flatMap((entry) => entry.tags))]
    const standing = await this.standing(tags)
    await this.#put(entries.map((entry) => this.#rowOf(entry, standing)))
  }

  async writeLoaded(entry: KeyedEntry, seen: number, standing: Standing): Promise<boolean> {
    const row = this.#rowOf(entry, standing)
    const values = plans.WRITTEN.map((name) => row[name])
    if (seen === 0) {
      const { rows } = await this.#session.execute(plans.writeNew(this.#session), values)
      return rows.length > 0
    }
    const { count } = await this.#session.execute(plans.replace(this.#session), [
      this.#cache,
      row['key'],
      seen,
      ...plans.REPLACING.map((name) => row[name]),
    ])
    return count > 0
  }

  async delete(key: CacheKey): Promise<boolean> {
    const now = this.#session.clock.now()
    const keepUntil = now + BURIED_MS
    const stored = storedKey(key)
    const generation = newGeneration()
    const parameters = [
      this.#cache,
      stored.key,
      now,
      await this.#lastCleared(),
      keepUntil,
      generation,
      this.#writer,
      UNPLACED,
      null,
      0,
    ]
    const { rows } = await this.#session.execute(plans.bury(this.#session), parameters)
    const [buried] = rows
    if (buried !== undefined) return holds(buried, await this.#marks(tagsOf(rows)))
    await this.#put([this.#buried(stored, keepUntil, generation)])
    return false
  }

  async clear(): Promise<void> {
    const generation = newGeneration()
    await this.#put([this.#buried({ key: CLEARED, longKey: null }, Number.MAX_SAFE_INTEGER, generation)])
    this.forget()
    this.#epoch = generation
    if (this.#session.inTransaction) {
      await this.#session.execute(plans.removeAll(this.#session), [this.#cache, ...plans.ENTRY_KEYS])
      return
    }
    // The entries count for nothing by now; in parts, others are not held up while they go.
    const parameters = [this.#cache, BATCH, ...plans.ENTRY_KEYS]
    for (;;) {
      const { count } = await this.#session.execute(plans.removeSome(this.#session), parameters)
      if (count < BATCH) return
    }
  }

  async invalidate(tags: readonly string[]): Promise<void> {
    const until = markerUntil(this.#session.clock.now())
    await this.#put([...new Set(tags)].map((tag) => this.#buried(tagRow(tag), until, newGeneration())))
  }

  async *entries(values: boolean): AsyncGenerator<KeyedEntry> {
    const epoch = await this.#lastCleared()
    const plan = plans.list(this.#session, values)
    const parameters = [this.#cache, ...plans.ENTRY_KEYS, this.#session.clock.now(), epoch]
    for await (const rows of this.#session.stream(plan, parameters)) {
      const marks = await this.#marks(tagsOf(rows))
      for (const row of rows) {
        const key = keyOf(row as unknown as StoredKey)
        const entry = holds(row, marks) ? entryOf(row) : undefined
        if (key !== undefined && entry !== undefined) yield { key, ...entry }
      }
    }
  }

  /** What rows hold, in their order. */
  async #foundIn(rows: readonly Row[]): Promise<Found[]> {
    const tags = tagsOf(rows)
    const marks = tags.length === 0 ? {} : await this.#marks(tags)
    if (rows.some((row) => row['epoch'] !== this.#epoch)) this.forget()
    const epoch = this.#epoch ?? (await this.#lastCleared())
    const now = this.#session.clock.now()
    return rows.map((row) => {
      const { keepUntil, freshUntil, generation } = row as unknown as Entry
      const there = keepUntil > now && freshUntil > 0 && row['epoch'] === epoch && holds(row, marks)
      return { entry: there ? entryOf(row) : undefined, generation }
    })
  }

  /** The generation of the last clearing: asked for once, until it is forgotten. */
  async #lastCleared(): Promise<number> {
    if (this.#epoch !== undefined) return this.#epoch
    const asked = ++this.#asked
    const epoch = (await this.#generations([{ key: CLEARED, longKey: null }])).get(CLEARED) ?? 0
    if (asked === this.#asked) this.#epoch = epoch
    return epoch
  }

  /** The generations of rows that are there, by their stored keys. */
  async #generations(rows: readonly StoredKey[]): Promise<Map<string, number>> {
    const keys = rows.map(({ key }) => key)
    const found = await this.#session.execute(plans.readGenerations(this.#session), [this.#cache, keys])
    return new Map(found.rows.map(({ key, generation }) => [key as string, generation as number]))
  }

  /** In one order for all: two that write the same rows in different orders would wait for each other. */
  async #put(rows: readonly Row[]): Promise<void> {
    const ordered = rows.toSorted((left, right) => compareText(left['key'] as string, right['key'] as string))
    await this.#session.execute(
      plans.write(this.#session),
      ordered.flatMap((row) => plans.WRITTEN.map((name) => row[name])),
    )
  }

  #rowOf({ key, value, freshUntil, keepUntil, generation, tags }: KeyedEntry, { epoch, marks }: Standing): Row {
    return {
      cache: this.#cache,
      ...storedKey(key),
      value: value === undefined ? null : JSON.stringify(value),
      freshUntil,
      keepUntil,
      generation,
      epoch,
      marks: tags.length === 0 ? null : Object.fromEntries(tags.map((tag) => [tag, marks[tag] ?? 0])),
      writer: this.#writer,
      place: UNPLACED,
    }
  }

  /** A row without a value: of a deleted entry, or a marker. */
  #buried(stored: StoredKey, keepUntil: number, generation: number): Row {
    const gone = { value: null, freshUntil: 0, epoch: this.#epoch ?? 0, marks: null }
    return { cache: this.#cache, ...stored, ...gone, keepUntil, generation, writer: this.#writer, place: UNPLACED }
  }
}

function marksOf(row: Row): Marks {
  return (row['marks'] ?? {}) as Marks
}

function tagsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(marksOf(row))))]
}

/** Whether no tag of an entry was invalidated since it was written. */
function holds(row: Row, marks: Marks): boolean {
  return Object.entries(marksOf(row)).every(([tag, generation]) => marks[tag] === generation)
}

/** The entry in a row; undefined for one that other hands made unreadable, in whose place a load puts what it finds. */
function entryOf(row: Row): Entry | undefined {
  const { freshUntil, keepUntil, generation } = row as unknown as Entry
  const text = row['value'] as string | null | undefined
  try {
    const value = text === null || text === undefined ? undefined : JSON.parse(text)
    return { value, freshUntil, keepUntil, generation, tags: Object.keys(marksOf(row)) }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
