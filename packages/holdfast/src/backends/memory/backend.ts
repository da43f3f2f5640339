import { Deadline } from '../../backend/deadline.ts'
import type {
  Backend,
  Call,
  Connection,
  ExistingTable,
  Plan,
  Result,
  Row,
  SchemaChange,
  SchemaEditor,
  Settled,
  Traits,
  TransactionOptions,
  Unsubscribe,
} from '../../backend/index.ts'
import { Semaphore } from '../../backend/semaphore.ts'
import { Topics } from '../../backend/topics.ts'
import type { Clock } from '../../base/clock.ts'
import { ConnectionError } from '../../base/errors.ts'
import type { Model, Models } from '../../schema/index.ts'
import type { Statement } from '../../statement/index.ts'
import { Catalog } from './catalog.ts'
import { MemoryPlan } from './plan.ts'
import { describeTable, rulesOf } from './schema-editor.ts'
import { streamRows } from './stream.ts'
import { MemoryTransaction } from './transaction.ts'
import { Committed, Draft, Snapshot } from './view.ts'

type Work<T> = (connection: Connection) => Promise<T>

/**
 * Keeps everything in this process, and nothing after `close`.
 *
 * One writer at a time: a transaction has the write lock from its start to its end and works on copies that share what it does
 * not change; a write on its own takes the lock for as long as it runs, which is at once when nobody has it. Who reads sees
 * what is committed and never waits. So every transaction is serializable, and none is ever in conflict with another.
 */
export class MemoryBackend implements Backend {
  readonly name = 'memory'
  readonly traits: Traits = {
    persistent: false,
    sharedBetweenProcesses: false,
    skipsLocked: false,
    altersInTransaction: true,
  }
  readonly schema: SchemaEditor
  readonly #clock: Clock
  readonly #committed: Committed
  readonly #lock = new Semaphore(1)
  readonly #readers = new Set<Promise<unknown>>()
  readonly #topics = new Topics()
  #closed = false

  constructor(models: Models, clock: Clock) {
    this.#clock = clock
    this.#committed = new Committed(new Catalog(models))
    this.schema = {
      apply: (changes) => this.#edit(changes),
      inspect: () => this.#inspect(),
      statements: () => [],
      inspectRules: async () => [...this.#committed.catalog.definitions()].map(({ model }) => rulesOf(model)),
      expectedRules: async (of) => [...of.values()].map(rulesOf),
      expected: (model: Model): ExistingTable => describeTable(model),
    }
  }

  async open(): Promise<void> {}

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.allSettled(this.#readers)
    await this.#lock.acquire()
  }

  async ping(): Promise<void> {
    this.#assertOpen()
  }

  prepare(statement: Statement): Plan {
    return new MemoryPlan(statement)
  }

  execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    try {
      this.#assertOpen()
      const own = plan as MemoryPlan
      if (!own.writes) return Promise.resolve(this.#run(own, parameters))
      if (!this.#lock.tryAcquire()) return this.#executeLater(own, parameters)
      try {
        return Promise.resolve(this.#run(own, parameters))
      } finally {
        this.#lock.release()
      }
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async *stream(plan: Plan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[], void, undefined> {
    this.#assertOpen()
    yield* streamRows(plan as MemoryPlan, this.#committed, parameters, this.#clock.now())
  }

  async executeTogether(calls: readonly Call[]): Promise<Settled[]> {
    const outcomes = await Promise.allSettled(calls.map(({ plan, parameters }) => this.execute(plan, parameters)))
    return outcomes.map((outcome) =>
      outcome.status === 'fulfilled' ? { result: outcome.value } : { error: outcome.reason as unknown },
    )
  }

  async transaction<T>(options: TransactionOptions, work: Work<T>): Promise<T> {
    this.#assertOpen()
    const { readOnly, timeoutMs } = options
    const deadline = new Deadline(timeoutMs)
    try {
      return await (readOnly === true ? this.#readOnly(deadline.signal, work) : this.#readWrite(deadline.signal, work))
    } finally {
      deadline[Symbol.dispose]()
    }
  }

  async notify(topic: string): Promise<void> {
    this.#assertOpen()
    this.#topics.notify(topic)
  }

  async wake(topic: string, onWake: () => void): Promise<Unsubscribe> {
    this.#assertOpen()
    return this.#topics.add(topic, onWake)
  }

  #run(plan: MemoryPlan, parameters: readonly unknown[]): Result {
    return plan.compiledFor(this.#committed.catalog).run(this.#committed, parameters, this.#clock.now())
  }

  async #executeLater(plan: MemoryPlan, parameters: readonly unknown[]): Promise<Result> {
    await this.#lock.acquire()
    try {
      return this.#run(plan, parameters)
    } finally {
      this.#lock.release()
    }
  }

  async #readWrite<T>(signal: AbortSignal | undefined, work: Work<T>): Promise<T> {
    await this.#lock.acquire(signal)
    try {
      const draft = new Draft(this.#committed)
      const value = await new MemoryTransaction(draft, this.#clock).run(work, signal)
      this.#committed.commit(draft)
      return value
    } finally {
      this.#lock.release()
    }
  }

  async #readOnly<T>(signal: AbortSignal | undefined, work: Work<T>): Promise<T> {
    const tables = [...this.#committed.catalog.definitions()].map(({ model }) => model.table)
    const snapshot = new Snapshot(this.#committed, tables)
    const running = new MemoryTransaction(snapshot, this.#clock).run(work, signal)
    this.#readers.add(running)
    try {
      return await running
    } finally {
      this.#readers.delete(running)
    }
  }

  #edit(changes: readonly SchemaChange[]): Promise<void> {
    return this.transaction({}, async (connection) => connection.schema?.apply(changes))
  }

  async #inspect(): Promise<readonly ExistingTable[]> {
    this.#assertOpen()
    return [...this.#committed.catalog.definitions()].map(({ model }) => describeTable(model))
  }

  #assertOpen(): void {
    if (!this.#closed) return
    throw new ConnectionError('The memory backend is closed.', {
      code: 'CLOSED',
      hint: 'Open another; what this one held is gone.',
      retryable: false,
    })
  }
}
