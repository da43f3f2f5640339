import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { kill, startProcess } from '../../../../test/crash/processes.ts'
import { crashSchema } from '../../../../test/crash/schema.ts'
import { testBackends } from '../../../../test/targets.ts'
import { openStorage } from './index.ts'

const ROUNDS = 6

/** Starts a writer, kills it at a random moment after it has acknowledged something, and gives what it acknowledged. */
async function writeUntilKilled(target: string, round: number): Promise<string[]> {
  const child = startProcess('writer.ts', target, String(round))
  const acknowledged: string[] = []
  const lines = createInterface({ input: child.stdout })
  const first = once(lines, 'line')
  lines.on('line', (line) => acknowledged.push(line))
  const read = once(lines, 'close')
  await first
  await sleep(Math.random() * 150)
  await kill(child)
  expect(child.signalCode).toBe('SIGKILL')
  await read
  return acknowledged
}

// Memory is not among them: it keeps nothing, and says so as a trait.
describe.each(testBackends.filter(({ name }) => name !== 'memory'))('a process killed on $name', ({ fresh }) => {
  it('loses nothing that it acknowledged, and leaves nothing half-written', { timeout: 120_000 }, async () => {
    const { target, drop } = await fresh()
    const acknowledged: string[] = []
    for (let round = 0; round < ROUNDS; round++) {
      acknowledged.push(...(await writeUntilKilled(target, round)))
      const storage = await openStorage(target, { schema: crashSchema })
      const ids = async (name: 'left' | 'right' | 'alone') =>
        (await storage.repository(name).find()).map(({ id }) => id)
      const [left, right, alone] = [await ids('left'), await ids('right'), await ids('alone')]
      const jobs = await storage.queue('work').list({ limit: 1_000_000 })
      expect(right).toEqual(left)
      expect(jobs.map(({ key }) => key ?? '').sort()).toEqual(left.toSorted())
      const stored = new Set([...left, ...alone])
      expect(acknowledged.filter((id) => !stored.has(id))).toEqual([])
      await storage.close()
    }
    expect(acknowledged.length).toBeGreaterThan(ROUNDS)
    await drop()
  })
})
