import { describe, expect, it } from 'vitest'
import { testBackends } from '../../../../../test/targets.ts'
import { openStorage } from '../../index.ts'
import { accountsSchema } from './accounts.ts'
import { type Committed, findCycle } from './append.ts'
import { scenarios } from './scenarios.ts'
import { runScenario } from './schedule.ts'

describe('the scenarios', () => {
  it('find what goes wrong at a weaker isolation, so that they would find it at the default one', async () => {
    const postgres = testBackends.find(({ name }) => name === 'postgres')
    const found: string[] = []
    for (const scenario of scenarios) {
      const { target, drop } = (await postgres?.fresh()) ?? expect.unreachable()
      const storage = await openStorage(target, { schema: accountsSchema })
      const history = await runScenario(storage, scenario, { retries: 0, isolation: 'read committed' })
      if (scenario.anomaly(history) !== null) found.push(scenario.id)
      await storage.close()
      await drop()
    }
    expect(found).toEqual(expect.arrayContaining(['PMP', 'P4', 'G-single', 'G2-item', 'G2']))
  })
})

describe('the search for cycles', () => {
  const transaction = (reads: Committed['reads'], appends: Committed['appends']): Committed => ({ reads, appends })

  it('finds write skew', () => {
    const history = [
      transaction([{ list: 1, items: [] }], [{ list: 2, item: 1 }]),
      transaction([{ list: 2, items: [] }], [{ list: 1, item: 2 }]),
    ]
    expect(
      findCycle(
        history,
        new Map([
          [1, [2]],
          [2, [1]],
        ]),
      )?.sort(),
    ).toEqual([0, 1])
  })

  it('finds nothing in what happened one after the other', () => {
    const history = [
      transaction([{ list: 1, items: [] }], [{ list: 1, item: 1 }]),
      transaction([{ list: 1, items: [1] }], [{ list: 1, item: 2 }]),
      transaction([{ list: 1, items: [1, 2] }], []),
    ]
    expect(findCycle(history, new Map([[1, [1, 2]]]))).toBeNull()
  })
})
