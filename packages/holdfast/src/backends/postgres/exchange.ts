import type { Cells, Submittable, Wire, WireValue } from './driver.ts'
import type { Packet } from './packet.ts'
import type { PreparedNames } from './prepared-names.ts'

/** A statement as it goes over the wire. */
export interface Request {
  /** What the server keeps it under; empty where it keeps nothing. */
  readonly name: string
  readonly text: string
  readonly values: readonly WireValue[]
}

/** What came back for one request. */
export interface Reply {
  readonly rows: readonly Cells[]
  /** What was done, and to how many rows: `INSERT 0 3`, `COMMIT`. */
  readonly tag: string
}

/** What came of the requests that were sent together. */
export interface Answer {
  /** Of the requests that succeeded, in order; the first one that did not is the one after these. */
  readonly replies: readonly Reply[]
  readonly failure?: Failure
}

/** Why some requests have no reply. */
export interface Failure {
  readonly error: unknown
  /**
   * What became of them. `unsent`: they never left. `refused`: the server said no, and undid what was sent together and not
   * inside a transaction. `lost`: nobody said anything, so the server may have done everything.
   */
  readonly fate: 'unsent' | 'refused' | 'lost'
}

/**
 * Statements that are sent together and answered together: parse, bind and execute for each, and one sync.
 *
 * Outside a transaction they are one transaction of their own, committed at the sync: one round trip and one flush of the log, and
 * when one fails none took effect. Columns are not described: a plan knows what it reads, and asking costs a tenth of a get by id.
 */
export class Exchange implements Submittable {
  readonly #requests: readonly Request[]
  readonly #names: PreparedNames
  readonly #packet: Packet
  readonly #settle: (answer: Answer) => void
  readonly #replies: Reply[] = []
  #rows: Cells[] = []
  #sent = false
  #settled = false

  /** @param packet of the connection that this is submitted to. */
  constructor(requests: readonly Request[], names: PreparedNames, packet: Packet, settle: (answer: Answer) => void) {
    this.#requests = requests
    this.#names = names
    this.#packet = packet
    this.#settle = settle
  }

  submit({ stream }: Wire): Error | null {
    if (!stream.writable) return new Error('The connection is closed')
    const { wire } = this.#packet
    try {
      for (const { name, text, values } of this.#requests) {
        this.#names.ready(name, text, wire)
        wire.bind({ statement: name, values })
        wire.execute()
      }
      wire.sync()
    } catch (error) {
      this.#packet.discard()
      return error as Error
    }
    this.#packet.send()
    this.#sent = true
    return null
  }

  handleDataRow({ fields }: { readonly fields: Cells }): void {
    this.#rows.push(fields)
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#replies.push({ rows: this.#rows, tag: text })
    this.#rows = []
  }

  handleReadyForQuery(): void {
    this.#names.confirm()
    this.#finish({ replies: this.#replies })
  }

  handleError(error: Error): void {
    this.fail(error)
  }

  /** Settles it without waiting any longer. */
  fail(error: unknown): void {
    this.#names.doubt()
    this.#finish({ replies: this.#replies, failure: { error, fate: this.#fateAfter(error) } })
  }

  /** The commit of what was executed comes after the last reply: if the session ends there, nobody knows. */
  #fateAfter(error: unknown): Failure['fate'] {
    if (!this.#sent) return 'unsent'
    const executed = this.#replies.length === this.#requests.length
    return isServerError(error) && !(executed && endsSession(error)) ? 'refused' : 'lost'
  }

  #finish(answer: Answer): void {
    if (this.#settled) return
    this.#settled = true
    this.#settle(answer)
  }
}

/** An error that the server sent; `pg` raises others itself, without a state. */
export interface ServerError extends Error {
  /** The SQLSTATE, five characters. */
  readonly code: string
  readonly constraint?: string
  readonly table?: string
  readonly column?: string
  readonly routine?: string
}

/** Whether the server sent this error, rather than that the connection to it failed. */
export function isServerError(error: unknown): error is ServerError {
  const { code, severity } = error as { readonly code?: unknown; readonly severity?: unknown }
  return typeof code === 'string' && code.length === 5 && severity !== undefined
}

/** Whether the server ends the session with this error: the severity says so too, but in the server's language. */
export function endsSession({ code }: ServerError): boolean {
  return /^(57P|08|XX)/.test(code)
}
