import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect } from 'vitest'
import { make, operationOf, type Root, type Store } from './asking.ts'
import type { Call, Read, Step, Write } from './calls.ts'
import { type Content, EMPTY, Refusal } from './content.ts'
import { inOrder, read } from './reading.ts'
import { type Fields, MODELS } from './schema.ts'
import { type Done, write } from './writing.ts'

/** A clock that moves only when it is told to. */
export class StoppedClock {
  #ms = Date.UTC(2026, 0, 1)

  now(): number {
    return this.#ms
  }

  advance(ms: number): void {
    this.#ms += ms
  }
}

/** What came of a call. */
type Outcome = { readonly gave: unknown } | { readonly refused: Error & { readonly code: string; fields?: unknown } }

type Transaction = Step & { readonly do: 'transaction' }

/** What errors with these codes are called. */
const NAMES: Readonly<Record<string, string>> = {
  VALIDATION: 'ValidationError',
  NOT_FOUND: 'NotFoundError',
  CONFLICT_VERSION: 'ConflictError',
  CONFLICT_UNIQUE: 'ConflictError',
  CONSTRAINT_CHECK: 'ConstraintError',
  CONSTRAINT_FOREIGN_KEY: 'ConstraintError',
}

/** Errors that fail no transaction: what was refused never came to a statement that failed. */
const GENTLE = new Set(['VALIDATION', 'NOT_FOUND', 'CONFLICT_VERSION'])

/** Between two steps, so that each has a moment of its own. */
const STEP_MS = 1_000

/** Does steps on an empty storage and in the model, and compares what comes of each. */
export class ComparedRun {
  readonly #storage: Root
  readonly #clock: StoppedClock
  #content: Content = EMPTY

  constructor(storage: Root, clock: StoppedClock) {
    this.#storage = storage
    this.#clock = clock
  }

  async perform(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#do(step, this.#storage)
      for (const model of MODELS) {
        const found = await this.#storage.repository(model).find({})
        same(found, inOrder(this.#content[model], model), () => `${model} after ${fc.stringify(step)}`)
      }
    }
  }

  /** @returns the error that fails the transaction in which the step is done, if there is one. */
  async #do(step: Step, on: Store): Promise<Error | undefined> {
    this.#clock.advance(STEP_MS)
    if (step.do === 'transaction') return this.#transact(step, on)
    const wanted = this.#wanted(step)
    const actual = await outcomeOf(() =>
      step.do === 'batch'
        ? this.#storage.batch(step.operations.map(operationOf))
        : make(step, on, () => this.#meanwhile(step, on)),
    )
    this.#compare(actual, wanted, step)
    if (!(wanted instanceof Refusal) && changes(step)) this.#content = wanted.content
    return 'refused' in actual && !GENTLE.has(actual.refused.code) ? actual.refused : undefined
  }

  /** What a call or a batch comes to in the model. */
  #wanted(step: Exclude<Step, Transaction>): Done | Refusal {
    const now = new Date(this.#clock.now())
    try {
      if (step.do !== 'batch') return inModel(step, this.#content, now)
      const values: unknown[] = []
      let content = this.#content
      for (const operation of step.operations) {
        const done = write(operation, content, now)
        values.push(done.value)
        content = done.content
      }
      return { value: values, content }
    } catch (error) {
      if (error instanceof Refusal) return error
      throw error
    }
  }

  #compare(actual: Outcome, wanted: Done | Refusal, step: Step): void {
    const label = () => fc.stringify(step)
    if ('gave' in actual) {
      same(actual.gave, wanted instanceof Refusal ? `${wanted.message} refused` : wanted.value, label)
      return
    }
    const { name, code, fields } = actual.refused
    same(name, NAMES[code], label)
    if (!(wanted instanceof Refusal)) throw new Error(`${label()} is refused`, { cause: actual.refused })
    const isMeant = wanted.reasons.some((one) => one.code === code && isDeepStrictEqual(one.fields, fields))
    if (!isMeant) same({ code, fields }, wanted.reasons, label)
  }

  /** Writes between two records of a stream, unless that would be refused. */
  async #meanwhile(step: Call, on: Store): Promise<void> {
    if (step.do !== 'stream' || step.meanwhile === undefined) return
    if (!(this.#wanted(step.meanwhile) instanceof Refusal)) await this.#do(step.meanwhile, on)
  }

  async #transact({ steps, commits, swallows }: Transaction, on: Store): Promise<undefined> {
    const before = this.#content
    const undone = new Error('undone')
    let failure: Error | undefined
    let times = 0
    const work = async (tx: Store): Promise<void> => {
      expect(++times, 'how often a transaction is tried that is alone').toBe(1)
      for (const step of steps) {
        failure = await this.#do(step, tx)
        if (failure !== undefined) break
      }
      if (failure !== undefined && !swallows) throw failure
      if (failure !== undefined)
        await expect(tx.repository('teams').count()).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
      if (!commits) throw undone
    }
    const isMeant = (error: unknown) => {
      if (failure !== undefined && !swallows) return error === failure
      if (!commits) return error === undone
      return failure !== undefined && (error as { code?: string }).code === 'TRANSACTION_FAILED'
    }
    try {
      await on.transaction(work)
      expect(commits && failure === undefined, 'whether the transaction commits').toBe(true)
    } catch (error) {
      if (!isMeant(error)) throw error
      this.#content = before
    }
  }
}

function changes(step: Exclude<Step, Transaction>): boolean {
  return step.do === 'batch' || isWrite(step)
}

function isWrite(call: Call): call is Write {
  return WRITES.has(call.do)
}

const WRITES = new Set<string>([
  'create',
  'createMany',
  'save',
  'upsert',
  'update',
  'updateMany',
  'delete',
  'deleteMany',
])

function inModel(call: Call, content: Content, now: Date): Done {
  return isWrite(call) ? write(call, content, now) : { value: read(call as Read, content), content }
}

async function outcomeOf(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { gave: await work() }
  } catch (error) {
    if ((error as Fields)['code'] === undefined || (error as Error).name === 'AssertionError') throw error
    return { refused: error as never }
  }
}

function same(actual: unknown, wanted: unknown, label: () => string): void {
  // Looked at first, since `expect` takes its time.
  if (!isDeepStrictEqual(actual, wanted)) expect(actual, label()).toStrictEqual(wanted)
}
