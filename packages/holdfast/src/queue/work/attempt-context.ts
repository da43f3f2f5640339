import type { Session } from '../../backend/index.ts'
import { set } from '../../statement/index.ts'
import { leaseLost } from '../finish/finish.ts'
import type { Audience } from '../job/audience.ts'
import { earlierResults } from '../job/earlier-results.ts'
import { heldKey, heldRow, isLeased } from '../job/held-rows.ts'
import type { Job } from '../job/job.ts'
import { liveJobs } from '../job/models.ts'
import { type HandlerContext, storableJson } from './handler.ts'
import type { LaterTransaction } from './host.ts'
import type { Interruption } from './interruption.ts'
import { Steps } from './steps.ts'

/** The transaction that a handler is given. */
export type JobTransaction = Pick<LaterTransaction<unknown>, 'tx' | 'session' | 'used'>

/** What a handler is given. It is made for each job, so what most handlers do not ask for is made when they do. */
export class AttemptContext implements HandlerContext<unknown> {
  readonly #job: Job
  readonly #session: Session
  readonly #interruption: Interruption
  readonly #transaction: JobTransaction
  readonly #audience: Audience
  #steps: Steps | undefined

  constructor(job: Job, session: Session, interruption: Interruption, transaction: JobTransaction, audience: Audience) {
    this.#job = job
    this.#session = session
    this.#interruption = interruption
    this.#transaction = transaction
    this.#audience = audience
  }

  get tx(): unknown {
    return this.#transaction.tx
  }

  get signal(): AbortSignal {
    return this.#interruption.signal
  }

  // Functions of their own, since handlers take the context apart.
  get progress(): HandlerContext<unknown>['progress'] {
    return async (value) => {
      const session = this.#current()
      await writeProgress(session, this.#job, storableJson(value, 'progress'))
      this.#audience.tell(session)
    }
  }

  get step(): HandlerContext<unknown>['step'] {
    return (name, work) => {
      this.#steps ??= new Steps(this.#job, () => this.#current())
      return this.#steps.run(name, work)
    }
  }

  get results(): HandlerContext<unknown>['results'] {
    return () => earlierResults(this.#current(), this.#job)
  }

  /** Where one writer works at a time, another transaction would wait for the one that waits for it. */
  #current(): Session {
    return this.#transaction.used ? this.#transaction.session : this.#session
  }
}

async function writeProgress(session: Session, job: Job, value: unknown): Promise<void> {
  const leased = isLeased(job)
  const plan = session.plan(heldKey('queue progress', leased), () => ({
    kind: 'update',
    model: liveJobs.name,
    set: [set('progress', 0)],
    where: heldRow(leased, 1, 2),
    orderBy: [],
    returning: [],
  }))
  if ((await session.execute(plan, [value, job.id, job.token])).count === 0) throw leaseLost(job)
}
