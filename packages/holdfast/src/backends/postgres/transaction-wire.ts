import type { Commands } from './commands.ts'
import { failedTransaction } from './errors.ts'
import type { Answer, Failure, Reply, Request } from './exchange.ts'
import type { Link, RawAnswer } from './link.ts'
import { TRANSACTION_ID } from './plan.ts'

/** A request of a transaction. */
export interface Sending {
  readonly request: Request
  readonly writes: boolean
  /** The same with the id of the transaction as the last column of its row; undefined where that cannot be. */
  readonly identified?: () => Request | undefined
  /** How long the server may take; as long as usual unless given. */
  readonly deadlineMs?: number
}

interface Queued extends Sending {
  readonly done: (reply: Reply) => void
  readonly failed: (failure: Failure) => void
}

/** How many statements are sent together at most. */
const MAX_TOGETHER = 256

/**
 * What goes over the wire for one transaction, in order. Statements of one tick are sent together, `begin` together with the first, so
 * that neither costs a round trip. The first that writes also brings the id of the transaction back.
 */
export class TransactionWire {
  readonly #link: Link
  readonly #beginning: readonly Request[]
  readonly #idRequest: Request
  readonly #readOnly: boolean
  #queue: Queued[] = []
  /** Settles when everything that was sent has been answered. */
  #tail: Promise<void> = Promise.resolve()
  #scheduled = false
  #waiting = false
  #used = false
  #begun = false
  #id: string | null = null
  /** Whether it may have an id that is not known here. */
  #unidentified = false

  constructor(link: Link, commands: Commands, beginning: readonly Request[], readOnly: boolean) {
    this.#link = link
    this.#beginning = beginning
    this.#idRequest = commands.request(`select ${TRANSACTION_ID}`)
    this.#readOnly = readOnly
  }

  /** The id, once the transaction has written; by this the server knows what became of it. */
  get id(): string | null {
    return this.#id
  }

  /** Whether anything was sent or will be. */
  get used(): boolean {
    return this.#used
  }

  /** Whether the server has something to do for it. */
  get waiting(): boolean {
    return this.#waiting
  }

  /** Sends a request after those before it. */
  send(sending: Sending, done: (reply: Reply) => void, failed: (failure: Failure) => void): void {
    this.#used = true
    this.#queue.push({ ...sending, done, failed })
    if (this.#scheduled) return
    this.#scheduled = true
    void this.#inOrder(() => this.#flush())
  }

  /** Runs SQL as it stands, after the requests before it. */
  raw(text: string, values: readonly unknown[], deadlineMs?: number): Promise<RawAnswer> {
    this.#used = true
    return this.#inOrder(async () => {
      if (!this.#begun) {
        const { failure } = this.#note(await this.#link.run(this.#beginning), 0)
        if (failure !== undefined) return { failure }
      }
      const answer = await this.#link.raw(text, values, deadlineMs)
      if (answer.failure === undefined && this.#asksForId) await this.#identify()
      return answer
    })
  }

  /** Makes sure that the id is known, if there is one, before a commit whose answer may be lost. */
  identified(): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#unidentified && this.#id === null) await this.#identify()
    })
  }

  /** Runs `work` when everything before it is answered: a session does one thing at a time. */
  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(async () => {
      this.#waiting = true
      try {
        return await work()
      } finally {
        this.#waiting = false
      }
    })
    this.#tail = turn.then(
      () => undefined,
      () => undefined,
    )
    return turn
  }

  async #flush(): Promise<void> {
    const batch = this.#queue.splice(0, MAX_TOGETHER)
    this.#scheduled = this.#queue.length > 0
    if (this.#scheduled) void this.#inOrder(() => this.#flush())
    const before = this.#begun ? [] : this.#beginning
    const requests = batch.map(({ request }) => request)
    const writing = this.#asksForId ? batch.findIndex(({ writes }) => writes) : -1
    const identified = batch[writing]?.identified?.()
    if (identified !== undefined) requests[writing] = identified
    else if (writing !== -1) requests.push(this.#idRequest)
    const deadlineMs = batch.find((queued) => queued.deadlineMs !== undefined)?.deadlineMs
    const answer = await this.#link.run([...before, ...requests], deadlineMs)
    this.#note(answer, before.length + (identified === undefined ? batch.length : writing))
    // A write that finds no row brings no id, and yet a trigger may have written.
    if (identified !== undefined) this.#unidentified = this.#id === null
    deliver(batch, answer, before.length)
  }

  async #identify(): Promise<void> {
    this.#note(await this.#link.run([this.#idRequest]), 0)
  }

  /** Takes from an answer whether the transaction has begun, and its id where it was asked for. */
  #note(answer: Answer, idAt: number): Answer {
    if (answer.failure?.fate !== 'unsent') this.#begun = true
    this.#id ??= answer.replies[idAt]?.rows[0]?.at(-1) ?? null
    return answer
  }

  get #asksForId(): boolean {
    return this.#id === null && !this.#readOnly
  }
}

/** Tells those who wait for a batch what came of it; `before` requests of the answer are not theirs. */
function deliver(batch: readonly Queued[], { replies, failure }: Answer, before: number): void {
  const succeeded = replies.length - before
  for (const [index, queued] of batch.entries()) {
    const reply = replies[before + index]
    if (reply !== undefined) queued.done(reply)
    else if (failure !== undefined) queued.failed(index > succeeded ? afterFailure(failure, succeeded) : failure)
  }
}

/** What those fail with that the server passed over because one before them failed. */
function afterFailure(failure: Failure, succeeded: number): Failure {
  if (failure.fate !== 'refused' || succeeded < 0) return failure
  return { error: failedTransaction(failure.error), fate: 'refused' }
}
