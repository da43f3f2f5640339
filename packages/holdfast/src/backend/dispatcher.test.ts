import { describe, expect, it } from 'vitest'
import { Dispatcher } from './dispatcher.ts'
import { Plans } from './plans.ts'
import type { Call, Plan, Result, Settled } from './port.ts'

const statement = { kind: 'delete', model: 'users', orderBy: [], returning: [] } as const
const gathering: Plan = { statement, gathers: true }
const single: Plan = { statement, gathers: false }

/** Answers each call with its parameters, and notes which calls came together. */
function recorder(): { readonly groups: unknown[][]; readonly dispatcher: Dispatcher } {
  const groups: unknown[][] = []
  const answer = (parameters: readonly unknown[]): Result => ({ rows: [{ given: parameters[0] }], count: 1 })
  const dispatcher = new Dispatcher({
    async execute(_: Plan, parameters: readonly unknown[]): Promise<Result> {
      groups.push([parameters[0]])
      return answer(parameters)
    },
    async executeTogether(calls: readonly Call[]): Promise<Settled[]> {
      groups.push(calls.map(({ parameters }) => parameters[0]))
      return calls.map(({ parameters }) =>
        parameters[0] === 'bad' ? { error: new Error('bad') } : { result: answer(parameters) },
      )
    },
  })
  return { groups, dispatcher }
}

describe('calls outside a transaction', () => {
  it('that start in one tick go to the backend together, and each gets its own outcome', async () => {
    const { groups, dispatcher } = recorder()
    const calls = ['a', 'bad', 'c'].map((value) => dispatcher.execute(gathering, [value]))
    const outcomes = await Promise.allSettled(calls)
    expect(groups).toEqual([['a', 'bad', 'c']])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[2]).toMatchObject({ value: { rows: [{ given: 'c' }] } })
  })

  it('of callers that loop side by side stay together, round after round', async () => {
    const { groups, dispatcher } = recorder()
    const caller = async () => {
      for (let round = 0; round < 3; round++) await dispatcher.execute(gathering, [round])
    }
    await Promise.all([caller(), caller(), caller(), caller()])
    expect(groups).toEqual([
      [0, 0, 0, 0],
      [1, 1, 1, 1],
      [2, 2, 2, 2],
    ])
  })

  it('that come alone, or gain nothing from company, go straight on', async () => {
    const { groups, dispatcher } = recorder()
    await dispatcher.execute(gathering, ['alone'])
    await Promise.all([dispatcher.execute(single, ['x']), dispatcher.execute(single, ['y'])])
    expect(groups).toEqual([['alone'], ['x'], ['y']])
  })

  it('all fail when the backend fails as a whole', async () => {
    const dispatcher = new Dispatcher({
      execute: () => Promise.reject(new Error('alone')),
      executeTogether: () => Promise.reject(new Error('together')),
    })
    const both = [dispatcher.execute(gathering, []), dispatcher.execute(gathering, [])]
    for (const call of both) await expect(call).rejects.toThrow('together')
    await expect(dispatcher.execute(gathering, [])).rejects.toThrow('alone')
  })
})

describe('plans', () => {
  it('are prepared once a shape, and kept within bounds', () => {
    const prepared: string[] = []
    const plans = new Plans({
      prepare: () => {
        prepared.push('x')
        return single
      },
    })
    for (let call = 0; call < 3; call++) plans.get('same', () => statement)
    expect(prepared).toHaveLength(1)
    for (let shape = 0; shape < 5_000; shape++) plans.get(String(shape), () => statement)
    plans.get('4999', () => statement)
    expect(prepared).toHaveLength(5_001)
    plans.get('same', () => statement)
    expect(prepared).toHaveLength(5_002)
  })
})
