import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net'

/** Which way bytes go. */
export type Way = 'to server' | 'to client'

/** In bytes. */
const LONGEST_PATTERN = 256

interface Cut {
  readonly way: Way
  readonly pattern: Buffer
  readonly happened: () => void
}

/**
 * A TCP proxy whose network fails when it is told to. It passes everything on until then.
 *
 * @example
 * ```ts
 * const proxy = await FaultyProxy.start({ host: '127.0.0.1', port: 5432 })
 * const cut = proxy.cut('to client', 'COMMIT')   // the reply to the next commit is lost
 * await cut
 * ```
 */
export class FaultyProxy {
  readonly #server: Server
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  /** All that are open, also those whose other side went in silence. */
  readonly #sockets = new Set<Socket>()
  #cuts: Cut[] = []
  #silent = false
  #delayMs = 0

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#server = createServer((client) => this.#join(client, createConnection(target)))
  }

  /** Starts a proxy before `target`, on a free port of this machine. */
  static async start(target: { readonly host: string; readonly port: number }): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** Where it listens, on 127.0.0.1. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** How many connections go through it. */
  get connections(): number {
    return this.#pairs.size
  }

  /**
   * Cuts the connection on which these bytes are next seen; the packet that holds them is not passed on.
   *
   * @returns when it happened.
   */
  cut(way: Way, bytes: string | Buffer): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#cuts.push({ way, pattern: Buffer.from(bytes as string), happened: resolve })
    return promise
  }

  /** Cuts all connections there are. */
  cutAll(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy()
  }

  /** Passes nothing on any more and says nothing about it, on connections there are and on new ones. */
  blackhole(): void {
    this.#silent = true
  }

  /** Passes every packet on so many milliseconds late. */
  delay(ms: number): void {
    this.#delayMs = ms
  }

  /** Ends `blackhole` and `delay`; what was lost stays lost. */
  heal(): void {
    this.#silent = false
    this.#delayMs = 0
  }

  /** Cuts everything and stops listening. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(client: Socket, server: Socket): void {
    const pair = [client, server] as const
    this.#pairs.add(pair)
    this.#pass(client, server, 'to server')
    this.#pass(server, client, 'to client')
    for (const socket of pair) {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        this.#sockets.delete(socket)
        this.#pairs.delete(pair)
        // A network that is silent does not tell one side that the other has gone.
        if (!this.#silent) for (const other of pair) other.destroy()
      })
    }
  }

  #pass(from: Socket, to: Socket, way: Way): void {
    let tail = Buffer.alloc(0)
    from.on('data', (packet) => {
      if (this.#silent) return
      const before = tail
      const cut = this.#cuts.find((one) => one.way === way && arrives(one.pattern, before, packet))
      tail = Buffer.concat([before, packet]).subarray(-LONGEST_PATTERN)
      if (cut !== undefined) {
        this.#cuts = this.#cuts.filter((one) => one !== cut)
        from.destroy()
        to.destroy()
        cut.happened()
      } else if (this.#delayMs > 0) setTimeout(() => to.writable && to.write(packet), this.#delayMs)
      else to.write(packet)
    })
  }
}

/** Whether a pattern ends in this packet, and perhaps began in the one before. */
function arrives(pattern: Buffer, before: Buffer, packet: Buffer): boolean {
  const begun = before.subarray(Math.max(0, before.length - pattern.length + 1))
  return Buffer.concat([begun, packet]).includes(pattern)
}
