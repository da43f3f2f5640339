import { setTimeout as pause } from 'node:timers/promises'
import type { Autocommit } from './autocommit.ts'
import { isServerError } from './exchange.ts'
import { SERVER_RUN } from './server-run.ts'

const PAUSE_MS = 50
/** How long a transaction may go on after its connection is gone, before the server is told to end it. */
const GRACE_MS = 2_000

const STATUS = `select pg_xact_status($1::xid8), ${SERVER_RUN}`
/** The commit may still be waiting: for a standby, or in a network that delivers it later. It is committed or ended after this. */
const END = `select pg_terminate_backend(pid) from pg_stat_activity where backend_xid = $1::xid8::xid and ${SERVER_RUN} = $2`

/** Finds out what became of transactions whose commit was not answered. */
export class Outcomes {
  readonly #autocommit: Autocommit
  readonly #patienceMs: number

  /** @param patienceMs how long to go on asking. */
  constructor(autocommit: Autocommit, patienceMs: number) {
    this.#autocommit = autocommit
    this.#patienceMs = patienceMs
  }

  /**
   * Asks the server, until it answers and the transaction is no longer under way.
   *
   * @param serverRun the run of the server in which the transaction was. In another one a commit may be that of another transaction.
   */
  async of(id: string, serverRun: string): Promise<'committed' | 'aborted' | 'unknown'> {
    const started = performance.now()
    let ended = false
    for (;;) {
      const [status, run] = (await this.#ask(STATUS, [id])) ?? []
      // What was committed and kept would be called committed in any run.
      if (status === 'aborted') return status
      if (status === 'committed') return run === serverRun ? status : 'unknown'
      const elapsedMs = performance.now() - started
      if (status === 'unknown' || elapsedMs > this.#patienceMs) return 'unknown'
      if (status === 'in progress' && run === serverRun && elapsedMs > GRACE_MS && !ended) {
        ended = true
        await this.#ask(END, [id, serverRun])
      }
      await pause(PAUSE_MS)
    }
  }

  /**
   * What the server says: undefined while it cannot be reached, `unknown` when it will never know, because the transaction is too long ago
   * or another server has taken its place.
   */
  async #ask(text: string, values: readonly string[]): Promise<readonly (string | null)[] | undefined> {
    try {
      const { replies, failure } = await this.#autocommit.run([{ name: '', text, values }], false)
      if (failure === undefined) {
        const [status = null, ...others] = replies[0]?.rows[0] ?? []
        return [status ?? 'unknown', ...others]
      }
      return isServerError(failure.error) && failure.error.code === '22023' ? ['unknown'] : undefined
    } catch {
      return undefined
    }
  }
}
