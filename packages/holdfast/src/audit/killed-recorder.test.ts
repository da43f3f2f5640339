import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { kill, startProcess } from '../../../../test/crash/processes.ts'
import { crashSchema } from '../../../../test/crash/schema.ts'
import { testBackends } from '../../../../test/targets.ts'
import { openStorage } from '../index.ts'

const ROUNDS = 2

/** Starts a process that records, kills it after so many records, and gives the ids that it printed. */
async function recordUntilKilled(target: string, records: number): Promise<string[]> {
  const child = startProcess('recorder.ts', target)
  const printed: string[] = []
  for await (const line of createInterface({ input: child.stdout })) if (printed.push(line) === records) break
  await kill(child)
  return printed
}

// Memory is not among them: it keeps nothing, and says so as a trait.
describe.each(testBackends.filter(({ name }) => name !== 'memory'))('recorders killed on $name', ({ fresh }) => {
  it('leave one chain with every record that was committed', { timeout: 120_000 }, async () => {
    const { target, drop } = await fresh()
    const storage = await openStorage(target, { schema: crashSchema })
    const printed: string[] = []
    for (let round = 1; round <= ROUNDS; round++) {
      const killed = await Promise.all([recordUntilKilled(target, 20), recordUntilKilled(target, 20 + round)])
      printed.push(...killed.flat())
      // What a killed process committed and did not seal is sealed by the next who comes.
      expect(await storage.audit.verify()).toMatchObject({ ok: true, problems: [] })
    }
    // The server may still be committing for a process that is gone.
    await expect
      .poll(async () => (await storage.audit.verify()).count - (await storage.audit.count()), { timeout: 10_000 })
      .toBe(0)
    const records = await storage.audit.find({ orderBy: { sequence: 'asc' } })
    expect(records.map(({ sequence }) => sequence)).toEqual(records.map((_, index) => index + 1))
    const kept = new Set(records.map(({ id }) => id))
    expect(printed.length).toBeGreaterThan(ROUNDS * 40)
    expect(printed.filter((id) => !kept.has(id))).toEqual([])
    await storage.close()
    await drop()
  })
})
