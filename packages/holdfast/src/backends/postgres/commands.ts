import type { Isolation, TransactionOptions } from '../../backend/index.ts'
import { ConfigurationError } from '../../base/errors.ts'
import type { Request } from './exchange.ts'
import { PreparedText } from './prepared-text.ts'

const LEVELS: readonly Isolation[] = ['serializable', 'repeatable read', 'read committed']

/** The few texts without parameters that are sent over and over. */
export class Commands {
  readonly #prepare: boolean
  readonly #requests = new Map<string, Request>()

  /** @param prepare whether sessions keep them. */
  constructor(prepare: boolean) {
    this.#prepare = prepare
  }

  /** The request for a text. */
  request(text: string): Request {
    let request = this.#requests.get(text)
    if (request === undefined) {
      request = new PreparedText(text, [], this.#prepare).request([])
      this.#requests.set(text, request)
    }
    return request
  }

  /**
   * Begins a transaction.
   *
   * @throws ConfigurationError for a level that SQL does not have: it becomes part of the text.
   */
  begin({ isolation = 'serializable', readOnly }: TransactionOptions): Request {
    if (!LEVELS.includes(isolation)) {
      throw new ConfigurationError(`There is no isolation level ${JSON.stringify(isolation)}.`, {
        hint: `Use one of ${LEVELS.join(', ')}.`,
      })
    }
    return this.request(`begin isolation level ${isolation}${readOnly === true ? ' read only' : ''}`)
  }
}
