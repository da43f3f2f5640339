/** A small real HTTP server for the demo to check: a shop that is slow here, unreliable there, and wrong in places. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** The shop, open. */
export interface ShopServer {
  readonly url: string
  close(): Promise<void>
}

/** Starts the shop on a free port. */
export async function startShopServer(): Promise<ShopServer> {
  const calls = new Map<string, number>()
  const server = createServer(async (request, response) => {
    const path = (request.url ?? '/').split('?')[0] as string
    const call = (calls.get(path) ?? 0) + 1
    calls.set(path, call)
    await pause(delayMs(path, call), undefined, { ref: false }) // Nobody waits for a page when the shop closes.
    await answer(path, call, request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Every page has its own pace; two of them are not to be waited for. */
function delayMs(path: string, call: number): number {
  if (path === '/export' || (path === '/stock' && call === 1)) return 5_000
  if (path === '/report') return 450
  return 30 + (([...path].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) * 37) % 260)
}

async function answer(path: string, call: number, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const json = (status: number, value: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }
  const product = /^\/products\/(\d+)$/.exec(path)
  if (product !== null) {
    const id = Number(product[1])
    if (id <= 18) json(200, { id, name: `Tea no. ${id}`, price: id * 2 })
    else json(404, { error: 'no such product' })
  } else if (path === '/') response.end('<h1>Welcome to the tea shop</h1>')
  else if (path === '/products') json(200, { total: 18, items: [{ id: 1, name: 'Tea no. 1' }] })
  else if (path === '/search') json(200, { hits: 3 })
  else if (path === '/report') json(200, { orders: 128 })
  else if (path === '/stock') json(200, { inStock: true })
  else if (path === '/recommendations') json(call < 3 ? 503 : 200, { call })
  else if (path === '/payment') json(call < 2 ? 500 : 200, { call })
  else if (path === '/admin') json(403, { error: 'staff only' })
  else if (path === '/old') response.writeHead(301, { location: '/' }).end()
  else if (path === '/legacy') request.socket.destroy()
  else if (path === '/orders' && request.method === 'POST') await order(request, json)
  else json(404, { error: 'no such page' })
}

async function order(request: IncomingMessage, json: (status: number, value: unknown) => void): Promise<void> {
  let text = ''
  for await (const chunk of request) text += chunk
  const { product } = JSON.parse(text) as { product?: number }
  if (product === undefined) json(400, { error: 'product is required' })
  else json(201, { id: 4711, product, status: 'open' })
}
