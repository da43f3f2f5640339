import type { Result } from '../../backend/index.ts'
import { TimeoutError } from '../../base/errors.ts'
import { cancelStatement } from './cancel.ts'
import type { Client, QueryResult } from './driver.ts'
import { type Answer, Exchange, type Failure, isServerError, type Request } from './exchange.ts'
import { Packet } from './packet.ts'
import { PreparedNames } from './prepared-names.ts'
import { Watchdog } from './watchdog.ts'

/** What came of SQL that was run as it stands; of several statements in one text, of the last. */
export type RawAnswer =
  | { readonly result: Result; readonly failure?: never }
  | { readonly failure: Failure; readonly result?: never }

/** One session with the server, used by one caller at a time. */
export class Link {
  readonly #client: Client
  readonly #names = new PreparedNames()
  readonly #packet: Packet
  readonly #watchdog = new Watchdog()
  readonly #deadlineMs: number
  /** The run of the server in which the session began; see `Outcomes`. */
  serverRun = ''
  /** Whether it has lain in the pool, where the server may have ended it unnoticed. */
  wasIdle = false
  #status = 'I'
  #retired = false
  #broken = false

  /** @param deadlineMs how long the server may take to answer, before the connection is given up. */
  constructor(client: Client, deadlineMs: number) {
    this.#client = client
    this.#packet = new Packet(client.connection)
    this.#deadlineMs = deadlineMs
    client.connection.on('readyForQuery', ({ status }) => {
      this.#status = status
    })
    // Whoever waits for an answer hears of it; without a listener an idle connection that drops would end the process.
    client.on('error', () => {
      this.#broken = true
    })
    client.on('end', () => {
      this.#broken = true
    })
  }

  /** Whether it can be used again: it is connected, not retired, and not inside a transaction that somebody left open. */
  get reusable(): boolean {
    return !this.#broken && !this.#retired && this.#status === 'I'
  }

  /** Whether the connection is gone. */
  get broken(): boolean {
    return this.#broken
  }

  /** Sends statements together. Never rejects; a server that does not answer in time counts as lost. */
  run(requests: readonly Request[], deadlineMs: number = this.#deadlineMs): Promise<Answer> {
    return new Promise((resolve) => {
      const exchange = new Exchange(requests, this.#names, this.#packet, (answer) => {
        this.#watchdog.end()
        resolve(answer)
      })
      this.#watchdog.begin(deadlineMs, () => {
        exchange.fail(new TimeoutError('The server', deadlineMs))
        this.abandon()
      })
      this.#client.query(exchange)
    })
  }

  /** Runs SQL as it stands, with values as `pg` takes and gives them. Never rejects. */
  async raw(text: string, values: readonly unknown[], deadlineMs: number = this.#deadlineMs): Promise<RawAnswer> {
    let late: TimeoutError | undefined
    this.#watchdog.begin(deadlineMs, () => {
      late = new TimeoutError('The server', deadlineMs)
      this.abandon()
    })
    try {
      const results = await this.#client.query({ text, values })
      const { rows, rowCount } = Array.isArray(results) ? (results.at(-1) as QueryResult) : results
      return { result: { rows, count: rowCount ?? rows.length } }
    } catch (error) {
      return { failure: { error: late ?? error, fate: isServerError(error) ? 'refused' : 'lost' } }
    } finally {
      this.#watchdog.end()
    }
  }

  /** Prepares every statement anew at its next use. */
  forgetPrepared(): void {
    this.#names.doubtAll()
  }

  /** Makes it not be used again by others. */
  retire(): void {
    this.#retired = true
  }

  /** Gives the connection up, and with it what the server is doing for it. */
  abandon(): void {
    this.#broken = true
    cancelStatement(this.#client)
    this.#client.connection.stream.destroy()
  }
}
