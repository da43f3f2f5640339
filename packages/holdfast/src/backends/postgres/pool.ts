import { Deadline } from '../../backend/deadline.ts'
import { Semaphore } from '../../backend/semaphore.ts'
import { TimeoutError } from '../../base/errors.ts'
import type { Client, Driver, Pool, Release } from './driver.ts'
import { type Subject, translateConnectError } from './errors.ts'
import { Link } from './link.ts'
import type { Settings } from './options.ts'
import { setUpSession } from './session-setup.ts'

/** What `pg` says when no session became free in time. */
const WAITED_TOO_LONG = 'timeout exceeded when trying to connect'
/** Of fewer sessions than these none is kept back. */
const FEW = 4
const WAITING = 'Waiting for a free connection'

/** The sessions of a backend. Makes them when they are needed, up to the greatest number, and lends each to one caller at a time. */
export class LinkPool {
  readonly #settings: Settings
  readonly #subject: Subject
  readonly #pool: Pool
  readonly #links = new WeakMap<Client, Link>()
  readonly #releases = new Map<Link, Release>()
  /** Sessions that were lent for long. */
  readonly #long = new Set<Link>()
  /** How many more may be. */
  readonly #longPermits: Semaphore
  /** Callers that have a session or wait for one. */
  #users = 0
  #unused: PromiseWithResolvers<void> | undefined

  constructor(driver: Driver, settings: Settings, subject: Subject) {
    this.#settings = settings
    this.#subject = subject
    this.#longPermits = new Semaphore(settings.max < FEW ? settings.max : settings.max - 1)
    this.#pool = new driver.Pool({
      ...settings.client,
      max: settings.max,
      idleTimeoutMillis: settings.idleTimeoutMs,
    })
    // An idle session that drops has left the pool by then, and the next caller gets another one.
    this.#pool.on('error', () => undefined)
  }

  /** Whether a caller would get a session without waiting for another caller. */
  get hasRoom(): boolean {
    return this.#users < this.#settings.max
  }

  /**
   * Lends a session. Give it back with `release`.
   *
   * @throws TimeoutError when none becomes free; ConnectionError when the server cannot be reached or refuses.
   */
  async acquire(): Promise<Link> {
    this.#users++
    try {
      const { link, isNew, release } = await this.#connect()
      try {
        if (isNew) await setUpSession(link, this.#settings)
        this.#releases.set(link, release)
        return link
      } catch (error) {
        release(true)
        throw error
      }
    } catch (error) {
      this.#leave()
      throw translateConnectError(error, this.#subject)
    }
  }

  /**
   * Lends a session for as long as its caller likes, for a transaction. Of four sessions and more one is kept for calls that take no time: else workers
   * whose handlers all have transactions open could give no sign of life.
   *
   * @throws as `acquire` does.
   */
  async acquireForLong(): Promise<Link> {
    if (!this.#longPermits.tryAcquire()) await this.#waitForPermit()
    try {
      const link = await this.acquire()
      this.#long.add(link)
      return link
    } catch (error) {
      this.#longPermits.release()
      throw error
    }
  }

  async #waitForPermit(): Promise<void> {
    const deadline = new Deadline(this.#settings.connectionTimeoutMs, WAITING)
    try {
      await this.#longPermits.acquire(deadline.signal)
    } finally {
      deadline[Symbol.dispose]()
    }
  }

  /** Takes a session back, or ends it where it cannot be lent again. */
  release(link: Link): void {
    if (this.#long.delete(link)) this.#longPermits.release()
    const release = this.#releases.get(link)
    this.#releases.delete(link)
    link.wasIdle = true
    release?.(!link.reusable)
    this.#leave()
  }

  /** Runs `work` with a session. */
  async use<T>(work: (link: Link) => Promise<T>): Promise<T> {
    const link = await this.acquire()
    try {
      return await work(link)
    } finally {
      this.release(link)
    }
  }

  /** Waits until nobody uses a session any more and ends them all. */
  async close(): Promise<void> {
    if (this.#users > 0) {
      this.#unused = Promise.withResolvers()
      await this.#unused.promise
    }
    await this.#pool.end()
  }

  #connect(): Promise<{ readonly link: Link; readonly isNew: boolean; readonly release: Release }> {
    return new Promise((resolve, reject) => {
      this.#pool.connect((error, client, release) => {
        if (client !== undefined) {
          const known = this.#links.get(client)
          // Made at once: a server may end a session in the packet that begins it, and an error that nobody hears ends the process.
          const link = known ?? new Link(client, this.#settings.queryTimeoutMs)
          this.#links.set(client, link)
          resolve({ link, isNew: known === undefined, release })
        } else if (error?.message === WAITED_TOO_LONG) {
          reject(new TimeoutError(WAITING, this.#settings.connectionTimeoutMs, error))
        } else reject(error)
      })
    })
  }

  #leave(): void {
    this.#users--
    if (this.#users === 0) this.#unused?.resolve()
  }
}
