import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { loadDriver, type Wire } from './driver.ts'
import { Packet } from './packet.ts'

/** A connection of `pg` over a stream that only notes what arrives: each piece that the system would be handed. */
async function connected() {
  const pieces: Buffer[] = []
  const stream = new Writable({
    write: (piece: Buffer, _, done) => {
      pieces.push(piece)
      done()
    },
  })
  const { Client } = await loadDriver()
  const { connection } = new Client({ stream } as never)
  return { connection, pieces }
}

function write(wire: Wire, values: readonly string[]): void {
  wire.parse({ name: 'a', text: 'select $1' })
  wire.bind({ statement: 'a', values })
  wire.execute()
  wire.sync()
}

it('messages leave together, in one piece where they are small', async () => {
  for (const [value, count] of [
    ['small', 1],
    ['x'.repeat(100_000), 4],
  ] as const) {
    const apart = await connected()
    write(apart.connection, [value])
    expect(apart.pieces).toHaveLength(4)
    const { connection, pieces } = await connected()
    const packet = new Packet(connection)
    write(packet.wire, [value])
    expect(pieces).toHaveLength(0)
    packet.send()
    expect(pieces).toHaveLength(count)
    expect(Buffer.concat(pieces)).toEqual(Buffer.concat(apart.pieces))
  }
})

it('messages that are forgotten do not leave with the next', async () => {
  const { connection, pieces } = await connected()
  const packet = new Packet(connection)
  write(packet.wire, ['not this'])
  packet.discard()
  packet.wire.sync()
  packet.send()
  expect(Buffer.concat(pieces)).toEqual(Buffer.from([0x53, 0, 0, 0, 4]))
})
