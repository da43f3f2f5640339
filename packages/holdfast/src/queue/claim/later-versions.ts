import type { Session } from '../../backend/index.ts'
import { ConfigurationError } from '../../base/errors.ts'
import { all, ascending, compare, equals, outputs } from '../../statement/index.ts'
import { liveJobs } from '../job/models.ts'
import { latestKnown, versionOf } from '../job/payload.ts'
import type { QueueScope } from '../job/scope.ts'

/** Between two looks at whether jobs wait that this process does not know. */
const LOOK_MS = 60_000

/** Notices jobs that wait and are left to others, because this process does not know their version. */
export class LaterVersions {
  readonly #scope: QueueScope
  #told: number
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(scope: QueueScope) {
    this.#scope = scope
    this.#told = latestKnown(scope.declaration)
  }

  /**
   * Looks now and then, when all that could be taken was: so it sees few rows.
   *
   * @throws ConfigurationError, once for each version.
   */
  async look(): Promise<void> {
    const { session, queue, declaration } = this.#scope
    const known = versionOf(declaration)
    if (known === undefined || session.clock.now() - this.#lookedAt < LOOK_MS) return
    this.#lookedAt = session.clock.now()
    const version = await laterThan(session, queue, this.#told)
    if (version === null) return
    this.#told = version
    throw new ConfigurationError(
      `Jobs of the queue ${queue} wait whose payloads have version ${version}, and this process knows version ${known}.`,
      { hint: 'They are left to workers that know it: start some, or stop the code that enqueues them.' },
    )
  }
}

/** A version later than this of a job that could be taken but for that; null where there is none. */
async function laterThan(session: Session, queue: string, version: number): Promise<number | null> {
  const plan = session.plan('queue later versions', () => ({
    kind: 'select',
    model: liveJobs.name,
    joins: [],
    outputs: outputs(['version']),
    where: all(equals('queue', 0), equals('ready', 1), compare('version', 'gt', 2)),
    orderBy: ascending('precedence', 'runAt', 'id'),
    limit: 3,
  }))
  const { rows } = await session.execute(plan, [queue, true, version, 1])
  return (rows[0]?.['version'] as number | undefined) ?? null
}
