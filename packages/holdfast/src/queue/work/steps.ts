import type { Session } from '../../backend/index.ts'
import { type Issue, ValidationError } from '../../base/errors.ts'
import { checkName } from '../../schema/index.ts'
import { equals, outputs, set } from '../../statement/index.ts'
import { leaseLost } from '../finish/finish.ts'
import { heldKey, heldRow, isLeased } from '../job/held-rows.ts'
import type { Job } from '../job/job.ts'
import { liveJobs, steps as stepRows } from '../job/models.ts'
import { OWN } from '../job/scope.ts'
import { storableJson } from './handler.ts'

/** The steps of one job: what each came to is kept, so that it is done once. */
export class Steps {
  readonly #job: Job
  readonly #session: () => Session
  readonly #running = new Map<string, Promise<unknown>>()
  #known: Promise<Map<string, unknown>> | undefined

  /** @param session where to read and write now. */
  constructor(job: Job, session: () => Session) {
    this.#job = job
    this.#session = session
  }

  /** What the step comes to: what it came to before, or comes to now; asked for several times at once it is done once. */
  run<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    const known = this.#running.get(name)
    if (known !== undefined) return known as Promise<T>
    const running = this.#run(name, work)
    this.#running.set(name, running)
    running.catch(() => this.#running.delete(name))
    return running
  }

  async #run<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    const issues: Issue[] = []
    checkName(name, 'name', issues)
    if (issues.length > 0) throw new ValidationError('A step was refused', issues)
    this.#known ??= this.#load()
    const known = await this.#known
    if (known.has(name)) return known.get(name) as T
    const result = storableJson(await work(), 'step')
    const session = this.#session()
    // Other steps may be using the transaction meanwhile, so there is none inside of it.
    if (session.inTransaction) await this.#keep(session, name, result)
    else await session.transaction((inner) => this.#keep(inner, name, result), OWN)
    return result as T
  }

  async #load(): Promise<Map<string, unknown>> {
    const session = this.#session()
    const plan = session.plan('queue steps', () => ({
      kind: 'select',
      model: stepRows.name,
      joins: [],
      outputs: outputs(['name', 'result']),
      where: equals('job', 0),
      orderBy: [],
    }))
    const { rows } = await session.execute(plan, [this.#job.id])
    return new Map(rows.map((row) => [row['name'] as string, row['result']]))
  }

  /** Writes a result down, if the job is still this worker's. */
  async #keep(session: Session, name: string, result: unknown): Promise<void> {
    const { id, token } = this.#job
    const leased = isLeased(this.#job)
    const hold = session.plan(heldKey('queue step hold', leased), () => ({
      kind: 'update',
      model: liveJobs.name,
      set: [set('stepped', 0)],
      where: heldRow(leased, 1, 2),
      orderBy: [],
      returning: [],
    }))
    if ((await session.execute(hold, [true, id, token])).count === 0) throw leaseLost(this.#job)
    const insert = session.plan('queue step insert', () => ({
      kind: 'insert',
      model: stepRows.name,
      columns: ['job', 'name', 'result'].map((column) => ({ column, value: 'given' as const })),
      leading: 0,
      returning: [],
    }))
    await session.execute(insert, [id, name, result])
  }
}
