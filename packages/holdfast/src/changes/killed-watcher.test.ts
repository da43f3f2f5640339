import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { kill, startProcess } from '../../../../test/crash/processes.ts'
import { crashSchema } from '../../../../test/crash/schema.ts'
import { testBackends } from '../../../../test/targets.ts'
import { openStorage } from '../index.ts'

const ROUNDS = 2
const SEEN_A_ROUND = 60

/** Watches in another process on from a cursor, and kills it once it has seen enough. Gives what it printed. */
async function watchUntil(enough: (seen: number) => boolean, target: string, after: string): Promise<string[]> {
  const child = startProcess('watcher.ts', target, after)
  const seen: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    seen.push(line)
    if (enough(seen.length)) break
  }
  await kill(child)
  return seen
}

// Memory is not among them: other processes cannot see it, and it says so as a trait.
describe.each(testBackends.filter(({ name }) => name !== 'memory'))('a watcher killed on $name', ({ fresh }) => {
  it('goes on where it was and sees every change once, while writers are killed too', {
    timeout: 120_000,
  }, async () => {
    const { target, drop } = await fresh()
    const storage = await openStorage(target, { schema: crashSchema })
    const seen: string[] = []
    const cursor = () => seen.at(-1)?.split(' ')[0] ?? ''
    for (let round = 0; round < ROUNDS; round++) {
      const writers = [startProcess('watched-writer.ts', target), startProcess('watched-writer.ts', target)]
      seen.push(...(await watchUntil((count) => count === SEEN_A_ROUND, target, cursor())))
      for (const writer of writers) await kill(writer)
    }
    // What the killed writers committed last, nobody has settled.
    const total = await storage.repository('watched').count()
    seen.push(...(await watchUntil((count) => seen.length + count === total, target, cursor())))
    const watched = (await storage.repository('watched').find()).map(({ id }) => id)
    expect(total).toBeGreaterThan(ROUNDS * SEEN_A_ROUND)
    expect(seen.map((line) => line.split(' ')[1]).sort()).toEqual(watched.sort())
    expect(seen.map((line) => line.split(' ')[0])).toEqual(seen.map((_, index) => String(index + 1)))
    await storage.close()
    await drop()
  })
})
