import { setTimeout as pause } from 'node:timers/promises'
import type { Unsubscribe } from '../../backend/index.ts'
import type { Client } from './driver.ts'
import { CHANNEL, payloadOf } from './topics.ts'

/** How a listener keeps its session. */
export interface ListenerTiming {
  /** How often it asks whether the session still answers, which a connection cut without a word does not show by itself. */
  readonly pingMs: number
  /** How long it waits for that answer. */
  readonly answerMs: number
  /** The longest pause between attempts to connect again; the first is a fiftieth of it. */
  readonly longestPauseMs: number
}

const TIMING: ListenerTiming = { pingMs: 15_000, answerMs: 5_000, longestPauseMs: 10_000 }

/**
 * Hears of notifications on a session of its own, opened at the first `add` and opened again whenever it is lost.
 *
 * ```
 *   connecting ──listening──▶ pinging ──lost──▶ pausing ──▶ connecting …
 *        └──────── refused ────────────────────────┘
 * ```
 *
 * What was notified while there was no session is unknown, so after each reconnection every topic wakes.
 *
 * Behind a pooler that hands sessions on there may be none that could listen; then only this process is heard.
 */
export class Listener {
  readonly #connect: (() => Client) | undefined
  readonly #timing: ListenerTiming
  readonly #wakes = new Map<string, Set<() => void>>()
  readonly #closing = new AbortController()
  #client: Client | undefined
  #running: Promise<void> | undefined
  /** Settles after the first attempt, whether or not it succeeded. */
  readonly #attempted: PromiseWithResolvers<void> = Promise.withResolvers()

  /** @param connect makes a client that is not connected yet; undefined where none can listen. */
  constructor(connect: (() => Client) | undefined, timing: ListenerTiming = TIMING) {
    this.#connect = connect
    this.#timing = timing
  }

  /** Calls `onWake` after each notification of the topic. A server that cannot be reached is tried again until it can. */
  async add(topic: string, onWake: () => void): Promise<Unsubscribe> {
    const payload = payloadOf(topic)
    const wakes = this.#wakes.get(payload) ?? new Set()
    this.#wakes.set(payload, wakes)
    // Two subscriptions may share one function.
    const wake = (): void => onWake()
    wakes.add(wake)
    if (this.#connect !== undefined) {
      this.#running ??= this.#run(this.#connect)
      await this.#attempted.promise
    }
    return async () => {
      wakes.delete(wake)
      if (wakes.size === 0 && this.#wakes.get(payload) === wakes) this.#wakes.delete(payload)
    }
  }

  /** Wakes those who wait for a topic in this process, sooner than the server can. */
  wakeHere(topic: string): void {
    this.#wake(payloadOf(topic))
  }

  /** Ends the session. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#client?.connection.stream.destroy()
    await this.#running
  }

  async #run(connect: () => Client): Promise<void> {
    const { longestPauseMs } = this.#timing
    const { signal } = this.#closing
    let pauseMs = longestPauseMs / 50
    for (let attempt = 0; !signal.aborted; attempt++) {
      const listened = await this.#listen(connect(), attempt > 0)
      this.#attempted.resolve()
      if (listened) pauseMs = longestPauseMs / 50
      await pause(pauseMs * (0.5 + Math.random() / 2), undefined, { signal, ref: false }).catch(() => undefined)
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    }
  }

  /** Listens until the session is lost; false where there was none. */
  async #listen(client: Client, again: boolean): Promise<boolean> {
    const lost = new Promise<void>((resolve) => {
      client.on('error', () => resolve())
      client.on('end', resolve)
    })
    client.on('notification', ({ payload }) => this.#wake(payload ?? ''))
    this.#client = client
    const destroy = (): unknown => client.connection.stream.destroy()
    try {
      await client.connect()
      if (this.#closing.signal.aborted) return false
      await this.#answers(client, `listen ${CHANNEL}`)
    } catch {
      // The pool tells callers why the server cannot be reached; here it is only tried again.
      destroy()
      return false
    }
    this.#attempted.resolve()
    if (again) for (const payload of this.#wakes.keys()) this.#wake(payload)
    const pinging = setInterval(() => this.#answers(client, 'select 1').catch(destroy), this.#timing.pingMs)
    await lost
    clearInterval(pinging)
    destroy()
    return true
  }

  /** Rejects when the session does not answer in time. */
  async #answers(client: Client, text: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('The listening session does not answer')), this.#timing.answerMs)
    })
    try {
      await Promise.race([client.query(text), late])
    } finally {
      clearTimeout(timer)
    }
  }

  #wake(payload: string): void {
    for (const wake of this.#wakes.get(payload) ?? []) wake()
  }
}
