import type { LinkPool } from './pool.ts'

/** A table is left alone until so many of its rows are gone, and a share of those that were left the last time. */
const LEAST = 4_000
/** Autovacuum's own. */
const SHARE = 0.2
/** How many times as long as the last one took nothing is done: at most a fifth of a session's time goes into it. */
const REST = 4
/** How long nothing is done after one that failed. Autovacuum has come by then. */
const REST_AFTER_FAILURE_MS = 60_000

interface Table {
  /** Rows that this process has deleted since the last time. */
  deleted: number
  /** How many must be before the next. */
  limit: number
  /** When it may be, by the process's clock. */
  from: number
  running: boolean
}

/**
 * Makes room where rows come and go. Autovacuum looks once a minute: of a queue with 20,000 jobs, at 4,000 a second, the table and its indexes grew to
 * 40 times the size of what was in them, and kept 17 times for good; a vacuum of some 10 ms every few thousand jobs keeps them under twice.
 *
 * A hint to the server: nothing depends on it, so a failure is heard by nobody but the next caller who meets the same server.
 */
export class Vacuum {
  readonly #pool: LinkPool
  readonly #tables = new Map<string, Table>()

  constructor(pool: LinkPool) {
    this.#pool = pool
  }

  /** Rows of a table were deleted. */
  deleted(name: string, count: number): void {
    let table = this.#tables.get(name)
    if (table === undefined) {
      table = { deleted: 0, limit: LEAST, from: 0, running: false }
      this.#tables.set(name, table)
    }
    table.deleted += count
    if (table.deleted < table.limit || table.running || performance.now() < table.from) return
    void this.#run(name, table)
  }

  async #run(name: string, table: Table): Promise<void> {
    table.running = true
    table.deleted = 0
    const left = await this.#vacuum(name).catch(() => undefined)
    table.running = false
    const now = performance.now()
    table.from = now + (left === undefined ? REST_AFTER_FAILURE_MS : REST * left.tookMs)
    table.limit = Math.max(LEAST, SHARE * (left?.rows ?? 0))
  }

  /** Undefined when the server refused. Its end is not cut off: that would wait for everybody else to leave the table. */
  async #vacuum(name: string): Promise<{ readonly rows: number; readonly tookMs: number } | undefined> {
    return this.#pool.use(async (link) => {
      const quoted = `"${name.replaceAll('"', '""')}"`
      const started = performance.now()
      const text = `vacuum (skip_locked, truncate off, parallel 0) ${quoted}`
      const { failure } = await link.run([{ name: '', text, values: [] }])
      if (failure !== undefined) return undefined
      const tookMs = performance.now() - started
      const counted = await link.raw('select reltuples from pg_class where oid = $1::regclass', [quoted])
      const [row] = counted.result?.rows ?? []
      return { rows: Number(row?.['reltuples'] ?? 0), tookMs }
    })
  }
}
