import { expect } from 'vitest'
import { type HoldfastError, increment, isHoldfastError, type Storage } from '../../packages/holdfast/src/index.ts'
import type { TestClock } from '../../packages/holdfast/src/testing/index.ts'
import { type Fields, IDS, MODELS, type Name, type Step, type schema, type Write } from './steps.ts'

/** Between two steps, so that each has a moment of its own. */
const STEP_MS = 1_000

type Store = Storage<typeof schema>
/** A storage or a transaction, of which nothing more is known than this: the steps are made up. */
interface Tables {
  repository(model: Name): Repository
  transaction(work: (tx: Tables) => Promise<void>): Promise<void>
}
type Repository = Record<Exclude<Write['do'], 'count'>, (...args: unknown[]) => Promise<unknown>>

/** All records at a moment. */
interface Moment {
  readonly at: Date
  readonly records: Readonly<Record<Name, readonly Fields[]>>
}

/** Does steps on a storage, and remembers what was there after each. */
export class RecordedRun {
  readonly #storage: Store
  readonly #clock: TestClock
  readonly #moments: Moment[] = []
  /** What each write came to: its error's code, or that it was done. */
  readonly outcomes: string[] = []

  constructor(storage: Store, clock: TestClock) {
    this.#storage = storage
    this.#clock = clock
  }

  async perform(steps: readonly Step[]): Promise<void> {
    await this.#remember()
    for (const [at, step] of steps.entries()) {
      this.#clock.advance(STEP_MS)
      await this.#do(step, this.#storage.as(`actor ${at}`) as unknown as Tables, false)
      await this.#remember()
    }
  }

  async #remember(): Promise<void> {
    this.#moments.push({ at: new Date(this.#clock.now()), records: await this.#records() })
    this.#clock.advance(STEP_MS)
  }

  async #records(): Promise<Moment['records']> {
    const orderBy = { id: 'asc' } as const
    return {
      teams: await this.#storage.repository('teams').find({ orderBy }),
      people: await this.#storage.repository('people').find({ orderBy }),
    }
  }

  async #do(step: Step, on: Tables, inTransaction: boolean): Promise<void> {
    if (step.do === 'transaction') return this.#transact(step.steps, step.commits, on)
    const writes = step.do === 'at once' ? step.writes : [step]
    const settled = await Promise.allSettled(writes.map((write) => written(write, on)))
    for (const one of settled) this.outcomes.push(one.status === 'fulfilled' ? 'done' : codeOf(one.reason))
    const [failed] = settled.filter((one) => one.status === 'rejected')
    // In a transaction nothing can be done after what failed.
    if (inTransaction && failed !== undefined) throw failed.reason
  }

  async #transact(steps: readonly Step[], commits: boolean, on: Tables): Promise<void> {
    const undone = new Error('undone')
    try {
      await on.transaction(async (tx) => {
        for (const step of steps) await this.#do(step, tx, true)
        if (!commits) throw undone
      })
    } catch (error) {
      if (error !== undone && !isHoldfastError(error)) throw error
    }
  }

  /** The past is as it was, and the versions of each record follow one another up to what is there now. */
  async assertRemembered(): Promise<void> {
    for (const { at, records } of this.#moments)
      for (const model of MODELS) {
        const past = this.#storage.repository(model as 'teams').asOf(at)
        expect(await past.find({ orderBy: { id: 'asc' } }), `${model} as of ${at.toISOString()}`).toEqual(
          records[model],
        )
      }
    const now = this.#moments.at(-1)?.records as Moment['records']
    for (const [place, versions] of Object.entries(await this.histories())) {
      const [model, id] = place.split(' ') as [Name, string]
      expect(versions.map(({ version }) => version)).toEqual(versions.map((_, index) => index + 1))
      for (const [index, { operation, validFrom, validTo }] of versions.entries()) {
        const before = versions[index - 1]
        const begins = before === undefined || before.operation === 'delete'
        expect(operation === 'create', `${place}: version ${index + 1} is ${operation}`).toBe(begins)
        expect(validTo).toEqual(versions[index + 1]?.validFrom ?? null)
        if (validTo !== null) expect(validTo.getTime()).toBeGreaterThanOrEqual(validFrom.getTime())
      }
      const last = versions.at(-1)
      const kept = last?.operation === 'delete' ? undefined : last?.record
      expect(kept, `${place} now`).toEqual(now[model].find((record) => record['id'] === id))
    }
  }

  /** The versions of each record that was ever there. */
  async histories() {
    const all: Record<string, Awaited<ReturnType<ReturnType<Store['repository']>['history']>>> = {}
    for (const model of MODELS)
      for (const id of IDS) {
        const versions = await this.#storage.repository(model as 'teams').history(id)
        if (versions.length > 0) all[`${model} ${id}`] = versions as never
      }
    return all
  }

  /** The same without what differs from run to run: moments, and the ids of transactions. */
  async story() {
    const histories = Object.entries(await this.histories())
    return Object.fromEntries(
      histories.map(([place, versions]) => [
        place,
        versions.map(({ version, operation, actor, record }) => ({ version, operation, actor, record })),
      ]),
    )
  }
}

function written(write: Write, on: Tables): Promise<unknown> {
  if (write.do === 'count') {
    const people = on.repository('people')
    return people.updateMany({ runs: { gte: write.atLeast } }, { runs: increment(write.by) })
  }
  const repository = on.repository(write.model)
  switch (write.do) {
    case 'create':
    case 'upsert':
    case 'save':
      return repository[write.do](write.record)
    case 'createMany':
      return repository.createMany(write.records)
    case 'update':
      return repository.update(write.id, write.set)
    case 'updateMany':
    case 'deleteMany':
      return repository[write.do]({ id: { in: write.ids } }, ...('set' in write ? [write.set] : []))
    case 'delete':
      return repository.delete(write.id)
    case 'revert':
      return repository.revert(write.id, write.version)
  }
}

function codeOf(error: unknown): string {
  if (isHoldfastError(error)) return (error as HoldfastError).code
  throw error
}
