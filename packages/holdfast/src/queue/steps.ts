import type { Session } from '../backend/index.ts'
import { all, equals, outputs, set } from './conditions.ts'
import { leaseLost } from './finish.ts'
import { storableJson } from './handler.ts'
import type { Job } from './job.ts'
import { liveJobs, steps as stepRows } from './models.ts'
import { OWN } from './scope.ts'

/** The steps of one job: what each came to is kept, so that it is done once. */
export class Steps {
  readonly #job: Job
  readonly #session: () => Session
  #known: Promise<Map<string, unknown>> | undefined

  /** @param session where to read and write now. */
  constructor(job: Job, session: () => Session) {
    this.#job = job
    this.#session = session
  }

  async run<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    this.#known ??= this.#load()
    const known = await this.#known
    if (known.has(name)) return known.get(name) as T
    const result = storableJson(await work(), 'step')
    await this.#session().transaction((session) => this.#keep(session, name, result), OWN)
    known.set(name, result)
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
    const hold = session.plan('queue step hold', () => ({
      kind: 'update',
      model: liveJobs.name,
      set: [set('stepped', 0)],
      where: all(equals('id', 1), equals('token', 2)),
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
