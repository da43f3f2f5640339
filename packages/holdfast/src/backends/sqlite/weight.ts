import type { Models } from '../../schema/index.ts'
import type { Access, Select } from '../../statement/index.ts'

/** A read that took this long goes to a worker the next time. */
const SLOW_MS = 5

/** A worker that was this quick need not have been asked. */
const QUICK_MS = 2

/** From so many rows on a table is not gone through on the main thread: about 3 ms of work. */
const BIG_TABLE_ROWS = 10_000

/** How many rows a table holds, roughly. */
export type TableSize = (table: string) => number

/**
 * Whether a read is too long for the main thread: by what it is, when it goes through a big table, and by experience, when it was
 * slow the last two times (once may have been the garbage collector).
 */
export class Weight {
  readonly #tables: readonly string[]
  #slow = 0

  constructor(statement: Select, access: Access, models: Models) {
    this.#tables = scannedModels(statement, access).map((name) => models.get(name)?.table ?? name)
  }

  isHeavy(sizeOf: TableSize): boolean {
    return this.#slow >= 2 || this.#tables.some((table) => sizeOf(table) >= BIG_TABLE_ROWS)
  }

  /** Tells how long it took on the main thread. */
  tookOnMainThread(milliseconds: number): void {
    if (milliseconds < SLOW_MS) this.#slow = 0
    else this.#slow++
  }

  /** Tells how long a worker was at it. */
  tookInWorker(milliseconds: number): void {
    if (milliseconds < QUICK_MS) this.#slow = 0
  }
}

/** The models all of whose rows may have to be looked at. */
function scannedModels(statement: Select, { kind, order, rest, joins }: Access): string[] {
  const stopsEarly =
    statement.limit !== undefined &&
    statement.offset === undefined &&
    statement.limitPer === undefined &&
    statement.groupBy === undefined &&
    statement.joins.length === 0 &&
    order !== null &&
    rest.length === 0
  const own = kind === 'scan' && !stopsEarly ? [statement.model] : []
  const joined = statement.joins.filter((_, index) => joins[index]?.kind === 'scan').map(({ model }) => model)
  return [...own, ...joined]
}
