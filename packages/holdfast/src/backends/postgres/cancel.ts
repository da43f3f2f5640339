import { createConnection } from 'node:net'
import type { Client } from './driver.ts'

const CANCEL_REQUEST = 80_877_102
const GIVE_UP_MS = 5_000

/**
 * Asks the server to stop what a session is doing, so that a statement nobody waits for any more frees its locks. A server cannot notice
 * by itself that a client is gone while a statement runs. It never answers, and where it cannot be reached there is nothing left to do.
 */
export function cancelStatement({ host, port, processID, secretKey }: Client): void {
  if (processID === null || secretKey === null) return
  const message = Buffer.alloc(16)
  message.writeInt32BE(16, 0)
  message.writeInt32BE(CANCEL_REQUEST, 4)
  message.writeInt32BE(processID, 8)
  message.writeInt32BE(secretKey, 12)
  const socket = host.startsWith('/') ? createConnection(`${host}/.s.PGSQL.${port}`) : createConnection(port, host)
  socket.unref()
  socket.setTimeout(GIVE_UP_MS, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.end(message)
}
