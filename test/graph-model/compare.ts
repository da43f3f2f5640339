import fc from 'fast-check'
import { type Outcome, outcomeOf, same, sameRefusal } from '../random-calls/outcome.ts'
import { Refusal } from '../random-calls/refusal.ts'
import type { StoppedClock } from '../random-calls/stopped-clock.ts'
import { transact } from '../random-calls/transact.ts'
import { make, type Store } from './asking.ts'
import type { Call, GraphRead, Step, Write } from './calls.ts'
import { byId, type Content, EMPTY, type Node } from './content.ts'
import { comparePath, mayBeRefused } from './paths.ts'
import { read } from './reading.ts'
import { type Fields, GRAPHS, LABELS_OF, MODELS } from './schema.ts'
import { type Done, RefusedBeforehand, write } from './writing.ts'

type Transaction = Step & { readonly do: 'transaction' }

/** Between two steps, so that each has a moment of its own. */
const STEP_MS = 1_000

/** Does steps on empty graphs and in the model, and compares what comes of each. */
export class ComparedRun {
  readonly #storage: Store
  readonly #clock: StoppedClock
  #content: Content = EMPTY
  /** The ids that were made, in order. */
  readonly #made = new Map<string, number>()
  /** What came of each call, as far as all backends agree on it. */
  readonly outcomes: unknown[] = []

  constructor(storage: Store, clock: StoppedClock) {
    this.#storage = storage
    this.#clock = clock
  }

  async perform(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#do(step, this.#storage)
      if (step.do === 'transaction' || isWrite(step))
        await this.#compareAll(() => `content after ${fc.stringify(step)}`)
    }
  }

  async #compareAll(label: () => string): Promise<void> {
    for (const name of GRAPHS) {
      const graph = this.#storage.graph(name)
      const nodes = (await Promise.all(LABELS_OF[name].map((one) => graph.nodes(one)))) as Node[][]
      same(nodes.flat().sort(byId), this.#content[name].nodes.toSorted(byId), label)
      same(await graph.edges(), this.#content[name].edges.toSorted(byId), label)
    }
    for (const model of MODELS) {
      const found = await this.#storage.repository(model).find({})
      same(found, read({ do: 'find', model, query: {} }, this.#content), label)
    }
  }

  /** @returns the error that fails the transaction in which the step is done, if there is one. */
  async #do(step: Step, on: Store): Promise<Error | undefined> {
    this.#clock.advance(STEP_MS)
    if (step.do === 'transaction') return this.#transact(step, on)
    const actual = await outcomeOf(() => make(step, on))
    const label = () => fc.stringify(step)
    if (step.do === 'shortestPath') {
      this.#comparePath(step, actual)
      return undefined
    }
    const wanted = this.#wanted(step, 'gave' in actual ? actual.gave : undefined)
    this.#note(actual, wanted instanceof Refusal ? wanted.reasons.length : 1)
    if ('gave' in actual) {
      same(actual.gave, wanted instanceof Refusal ? `${wanted.message} refused` : wanted.value, label)
      if (!(wanted instanceof Refusal)) this.#content = wanted.content
      return undefined
    }
    sameRefusal(actual.refused, wanted, label)
    return wanted instanceof RefusedBeforehand ? undefined : actual.refused
  }

  /** What a call comes to in the model, which is told the id that was made. */
  #wanted(call: Exclude<Call, { do: 'shortestPath' }>, gave: unknown): Done | Refusal {
    const madeId = String((gave as Fields | undefined)?.['id'])
    if (MADE.test(madeId) && !this.#made.has(madeId)) this.#made.set(madeId, this.#made.size)
    try {
      if (!isWrite(call)) return { value: read(call, this.#content), content: this.#content }
      return write(call, this.#content, { now: new Date(this.#clock.now()), madeId })
    } catch (error) {
      if (error instanceof Refusal) return error
      throw error
    }
  }

  #comparePath(call: GraphRead & { do: 'shortestPath' }, actual: Outcome): void {
    this.#note(actual, 1)
    const graph = this.#content[call.graph]
    if ('gave' in actual) comparePath(call, graph, actual.gave, fc.stringify(call))
    else if (actual.refused.code !== 'VALIDATION' || !mayBeRefused(call, graph))
      throw new Error(`${fc.stringify(call)} is refused`, { cause: actual.refused })
  }

  /** Takes note of an outcome; of several reasons to refuse a call each database may tell another. */
  #note(actual: Outcome, reasons: number): void {
    if ('gave' in actual) this.outcomes.push(this.#named(actual.gave))
    else if (reasons > 1) this.outcomes.push('refused')
    else {
      const { name, code, fields, issues } = actual.refused
      this.outcomes.push({ name, code, fields, issues: issues?.map(({ path }) => path) })
    }
  }

  /** A value with names in the places of ids that were made, which differ from run to run. */
  #named(value: unknown): unknown {
    if (typeof value === 'string') return this.#made.has(value) ? `made ${this.#made.get(value)}` : value
    if (Array.isArray(value)) return value.map((one) => this.#named(one))
    if (typeof value !== 'object' || value === null || value instanceof Date) return value
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [this.#named(name), this.#named(one)]))
  }

  async #transact(transaction: Transaction, on: Store): Promise<undefined> {
    const before = this.#content
    const committed = await transact(on, transaction, {
      step: (step, tx: Store) => this.#do(step, tx),
      ask: (tx) => tx.graph('city').edges(),
    })
    if (!committed) this.#content = before
  }
}

const MADE = /^[0-9a-f]{8}-[0-9a-f]{4}-7/

function isWrite(call: Call): call is Write {
  return WRITES.has(call.do)
}

const WRITES = new Set<string>([
  'addNode',
  'addNodes',
  'updateNode',
  'updateEdge',
  'removeNode',
  'disconnect',
  'connect',
  'connectMany',
  'importJson',
  'create',
  'updateMany',
  'deleteMany',
])
