import type { TransactionOptions } from '../../backend/index.ts'
import type { Request } from './exchange.ts'
import { PreparedText } from './prepared-text.ts'

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

  /** Begins a transaction. */
  begin({ isolation = 'serializable', readOnly }: TransactionOptions): Request {
    return this.request(`begin isolation level ${isolation}${readOnly === true ? ' read only' : ''}`)
  }
}
