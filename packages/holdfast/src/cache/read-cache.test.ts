import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FreshTarget, testBackends } from '../../../../test/targets.ts'
import type { CommitListener, Plan, Result, Session } from '../backend/index.ts'
import { systemClock } from '../base/clock.ts'
import { defineSchema, increment, openStorage, type Storage, sum, t, table } from '../index.ts'
import { ReadCache } from './read-cache.ts'

const schema = defineSchema({
  accounts: table(
    { id: t.integer().primaryKey(), team: t.text(), amount: t.integer() },
    { cache: { ttlMs: 60_000 }, indexes: ['team'], history: true },
  ),
  entries: table({
    id: t.id(),
    account: t.integer().references('accounts', { onDelete: 'cascade' }),
    amount: t.integer(),
  }),
})

type Open = Storage<typeof schema>

type Write = (storage: Open, id: number) => Promise<unknown>
type Read = (storage: Open, id: number, cache?: false) => Promise<unknown>

/** What a program may do; numbers choose the records. */
const writes: Record<string, Write> = {
  update: (storage, id) => storage.repository('accounts').updateMany({ id }, { amount: increment(1) }),
  upsert: (storage, id) =>
    storage.repository('accounts').upsert({ id, team: 'a', amount: 0 }, { update: { amount: increment(10) } }),
  entry: (storage, id) => storage.repository('entries').create({ account: id, amount: 1 }),
  cascade: (storage, id) => storage.repository('accounts').delete(id),
  move: (storage, id) =>
    storage.transaction(async (tx) => {
      await tx.repository('accounts').updateMany({ id }, { team: 'b' })
      await tx.repository('accounts').count({ team: 'b' })
      await tx.repository('accounts').updateMany({ id: id + 1 }, { team: 'a', amount: increment(-1) })
    }),
  rollback: (storage, id) =>
    storage.transaction(async (tx) => {
      await tx.repository('accounts').updateMany({ id }, { amount: 999 })
      throw new Error('mine')
    }),
  raise: (storage) =>
    storage.transaction(async (tx) => {
      await tx.repository('accounts').updateMany({ team: 'a' }, { amount: increment(5) })
    }),
}

const reads: Record<string, Read> = {
  byId: (storage, id, cache) => storage.repository('accounts').findById(id, { ...(cache === false && { cache }) }),
  byTeam: (storage, _, cache) =>
    storage.repository('accounts').find({ where: { team: 'a' }, ...(cache === false && { cache }) }),
  total: (storage, _, cache) =>
    storage.repository('accounts').aggregate({ select: { total: sum('amount') }, ...(cache === false && { cache }) }),
  entries: (storage, id, cache) =>
    storage.repository('entries').count({ account: id }, { cache: cache ?? { ttlMs: 60_000 } }),
  joined: (storage, _, cache) =>
    storage
      .repository('entries')
      .query()
      .join('accounts', { account: 'id' })
      .select({ n: 'amount', team: 'accounts.team', has: 'accounts.amount' })
      .orderBy({ n: 'asc', has: 'asc', team: 'asc' })
      .cache(cache ?? { ttlMs: 60_000 })
      .all(),
}

const id = fc.integer({ min: 1, max: 3 })
const act = (names: readonly string[]) => fc.record({ name: fc.constantFrom(...names), id, turns: fc.nat(6) })
/** Reads and writes that run at once, each beginning some turns of the event loop after the one before. */
const burst = fc.record({
  reads: fc.array(act(Object.keys(reads)), { maxLength: 6 }),
  writes: fc.array(act(Object.keys(writes)), { minLength: 1, maxLength: 3 }),
  late: fc.array(act(Object.keys(reads)), { maxLength: 6 }),
})

async function turns(n: number): Promise<void> {
  for (let turn = 0; turn < n; turn++) await (turn % 2 === 0 ? Promise.resolve() : new Promise(setImmediate))
}

describe.each(testBackends)('cached reads on $name', ({ name, fresh }) => {
  let database: FreshTarget
  let storage: Open

  beforeEach(async () => {
    database = await fresh()
    storage = await openStorage(database.target, { schema, autoCreate: true })
  })

  afterEach(async () => {
    await storage.close()
    await database.drop()
  })

  it('never give what was there before a write that was acknowledged, however reads and writes interleave', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(burst, { minLength: 1, maxLength: 8 }), async (bursts) => {
        await storage.repository('accounts').deleteMany({})
        await storage.repository('accounts').createMany([1, 2].map((id) => ({ id, team: 'a', amount: 0 })))
        for (const { reads: early, writes: changes, late } of bursts) {
          const pending: Promise<unknown>[] = []
          for (const read of early) {
            pending.push((reads[read.name] as Read)(storage, read.id))
            await turns(read.turns)
          }
          const writing: Promise<unknown>[] = []
          for (const write of changes) {
            // What is refused, or rolled back on purpose, settles too.
            writing.push((writes[write.name] as Write)(storage, write.id).catch(() => undefined))
            await turns(write.turns)
          }
          for (const read of late) pending.push((reads[read.name] as Read)(storage, read.id))
          await Promise.all(writing)
          // Nothing is written now: what is cached must be what is there, even while early reads are still under way.
          for (const [kind, read] of Object.entries(reads)) {
            for (const record of [1, 2, 3]) {
              const cached = await read(storage, record)
              expect({ kind, record, found: cached }).toEqual({
                kind,
                record,
                found: await read(storage, record, false),
              })
            }
          }
          await Promise.all(pending)
          for (const [kind, read] of Object.entries(reads)) {
            expect({ kind, found: await read(storage, 1) }).toEqual({ kind, found: await read(storage, 1, false) })
          }
        }
      }),
      { numRuns: name === 'memory' ? 150 : name === 'sqlite' ? 40 : 12 },
    )
  })
})

describe('a read that is under way', () => {
  const models = schema.models
  const plan = { statement: { kind: 'select', model: 'accounts' }, gathers: false } as unknown as Plan

  function slow() {
    const runs: PromiseWithResolvers<Result>[] = []
    let tell: CommitListener = () => undefined
    const session = { models, clock: systemClock, onCommitted: (listener: CommitListener) => (tell = listener) }
    const cache = new ReadCache(session as unknown as Session, () => undefined)
    const read = (of: Plan = plan) =>
      cache.read(of, [1], 60_000, () => {
        const run = Promise.withResolvers<Result>()
        runs.push(run)
        return run.promise
      })
    const answer = (run: number, n: number) => runs[run]?.resolve({ rows: [{ n }], count: 1 })
    return { runs, read, answer, commit: (...names: string[]) => tell(new Set(names)) }
  }

  it('is shared by all who ask meanwhile, until its model is written', async () => {
    const { runs, read, answer, commit } = slow()
    const early = [read(), read()]
    commit('entries')
    early.push(read())
    expect(runs.length).toBe(1)
    commit('accounts')
    const late = read()
    expect(runs.length).toBe(2)
    answer(1, 2)
    expect((await late).rows).toEqual([{ n: 2 }])
    answer(0, 1)
    for (const one of early) expect((await one).rows).toEqual([{ n: 1 }])
    expect((await read()).rows).toEqual([{ n: 2 }])
    expect(runs.length).toBe(2)
  })

  it('is not kept when it fails, nor when what is within reach of a node decides it', async () => {
    const { runs, read, answer } = slow()
    const failing = read()
    runs[0]?.reject(new Error('mine'))
    await expect(failing).rejects.toThrow('mine')
    const again = read()
    answer(1, 1)
    expect((await again).rows).toEqual([{ n: 1 }])
    const reaching = {
      ...plan,
      statement: { ...plan.statement, where: { kind: 'in', reach: true } },
    } as unknown as Plan
    for (const run of [2, 3]) {
      const pending = read(reaching)
      answer(run, run)
      expect((await pending).rows).toEqual([{ n: run }])
    }
  })
})
