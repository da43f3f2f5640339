import fc from 'fast-check'
import { type Outcome, outcomeOf, same, sameRefusal } from '../random-calls/outcome.ts'
import { Refusal } from '../random-calls/refusal.ts'
import type { StoppedClock } from '../random-calls/stopped-clock.ts'
import { transact } from '../random-calls/transact.ts'
import { make, operationOf, type Root, type Store } from './asking.ts'
import type { Call, Read, Step, Write } from './calls.ts'
import { type Content, EMPTY } from './content.ts'
import { inOrder, read } from './reading.ts'
import { MODELS } from './schema.ts'
import { type Done, write } from './writing.ts'

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
    same(actual.refused.name, NAMES[actual.refused.code], label)
    sameRefusal(actual.refused, wanted, label)
  }

  /** Writes between two records of a stream, unless that would be refused. */
  async #meanwhile(step: Call, on: Store): Promise<void> {
    if (step.do !== 'stream' || step.meanwhile === undefined) return
    if (!(this.#wanted(step.meanwhile) instanceof Refusal)) await this.#do(step.meanwhile, on)
  }

  async #transact(transaction: Transaction, on: Store): Promise<undefined> {
    const before = this.#content
    const committed = await transact(on, transaction, {
      step: (step, tx: Store) => this.#do(step, tx),
      ask: (tx) => tx.repository('teams').count(),
    })
    if (!committed) this.#content = before
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
