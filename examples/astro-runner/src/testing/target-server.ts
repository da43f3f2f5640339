/** A server for tests to check: it answers as each test says, and remembers what it was asked. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Answers a request; `call` counts the requests of its path from 1. */
export type Answer = (request: IncomingMessage, response: ServerResponse, call: number) => void

/** The server; `await using` closes it. */
export class TargetServer implements AsyncDisposable {
  readonly #server = createServer((request, response) => this.#answer(request, response))
  readonly #calls = new Map<string, number>()
  /** How requests are answered from now on; 200 and `{}` unless set. */
  answer: Answer = (_, response) => response.end('{}')

  static async start(): Promise<TargetServer> {
    const target = new TargetServer()
    target.#server.listen(0, '127.0.0.1')
    await once(target.#server, 'listening')
    return target
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** How often a path was asked for; all requests without one. */
  calls(path?: string): number {
    if (path !== undefined) return this.#calls.get(path) ?? 0
    return [...this.#calls.values()].reduce((sum, calls) => sum + calls, 0)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '/'
    this.#calls.set(path, this.calls(path) + 1)
    this.answer(request, response, this.calls(path))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
