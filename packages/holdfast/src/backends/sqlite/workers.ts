import type { Result, Row } from '../../backend/index.ts'
import { bindAll } from '../sql/index.ts'
import { type ReadPlan, readAll } from './plan.ts'
import { ReadWorker, WorkerUnavailable } from './worker.ts'
import type { WorkerStart } from './worker-messages.ts'

const MOST_WORKERS = 2

/** The threads that take long reads off the main one. They are started when they are first needed. */
export class Workers {
  readonly #start: WorkerStart
  #workers: ReadWorker[] = []
  #usable = true

  constructor(start: WorkerStart) {
    this.#start = start
  }

  /** Whether reads can be given to a worker; false once starting one has failed. */
  get usable(): boolean {
    return this.#usable
  }

  /** Reads all rows. Their pieces are taken in one by one, so that other work comes in between. */
  async read(plan: ReadPlan, parameters: readonly unknown[]): Promise<Result> {
    const pieces = new Pieces(this.#leastBusy(), plan, parameters)
    const rows: Row[] = []
    let milliseconds = 0
    try {
      for (;;) {
        const piece = await pieces.next()
        if (!piece.done) pieces.request()
        for (const row of readAll(piece.rows, plan.readRow).rows) rows.push(row)
        milliseconds += piece.milliseconds
        if (piece.done) break
      }
    } catch (error) {
      throw this.#noted(error)
    }
    plan.weight.tookInWorker(milliseconds)
    return { rows, count: rows.length }
  }

  /** Reads batch by batch, as fast as they are asked for. */
  async *stream(plan: ReadPlan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[], void, undefined> {
    const pieces = new Pieces(this.#leastBusy(), plan, parameters)
    try {
      for (let done = false; !done; ) {
        const piece = await pieces.next()
        done = piece.done
        if (piece.rows.length > 0) yield readAll(piece.rows, plan.readRow).rows
        if (!done) pieces.request()
      }
    } catch (error) {
      throw this.#noted(error)
    } finally {
      pieces.stop()
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()))
  }

  #leastBusy(): ReadWorker {
    this.#workers = this.#workers.filter(({ ended }) => !ended)
    const [best] = this.#workers.toSorted((left, right) => left.load - right.load)
    if (best !== undefined && (best.load === 0 || this.#workers.length === MOST_WORKERS)) return best
    const started = new ReadWorker(this.#start)
    this.#workers.push(started)
    return started
  }

  #noted(error: unknown): unknown {
    if (error instanceof WorkerUnavailable) this.#usable = false
    return error
  }
}

interface Piece {
  readonly rows: unknown[]
  readonly done: boolean
  readonly milliseconds: number
}

/** The pieces of one read, as promises. */
class Pieces {
  readonly #worker: ReadWorker
  readonly #id: number
  #arrived: PromiseWithResolvers<Piece> = arrival()

  constructor(worker: ReadWorker, { compiled }: ReadPlan, parameters: readonly unknown[]) {
    this.#worker = worker
    this.#id = worker.start(compiled.text, bindAll(compiled.bindings, parameters), {
      rows: (rows, done, milliseconds) => this.#arrived.resolve({ rows, done, milliseconds }),
      failed: (error) => this.#arrived.reject(error),
    })
  }

  /** The piece that was asked for last. */
  next(): Promise<Piece> {
    return this.#arrived.promise
  }

  /** Asks for the next piece. */
  request(): void {
    this.#arrived = arrival()
    this.#worker.more(this.#id)
  }

  /** Ends the read, if it has not ended. */
  stop(): void {
    this.#worker.stop(this.#id)
  }
}

/** What fails while nobody waits for it fails when somebody does. */
function arrival(): PromiseWithResolvers<Piece> {
  const arriving = Promise.withResolvers<Piece>()
  arriving.promise.catch(() => undefined)
  return arriving
}
