import type { Row, Session } from '../backend/index.ts'
import { ascending, descending, isNull, not, outputs, proposed, set } from '../statement/index.ts'
import { chainDigest, GENESIS } from './digest.ts'
import { auditHeads, auditRecords } from './models.ts'

/** How many records one transaction seals. */
const BATCH = 500
/** How long records wait for others, so that many are sealed in one transaction. */
const PAUSE_MS = 50

/** The one chain that there is. */
export const CHAIN = 'audit'

const RECORD_COLUMNS = auditRecords.columns.map(({ name }) => name)
const HEAD_COLUMNS = auditHeads.columns.map(({ name }) => name)

/**
 * Gives committed records their places in the chain.
 *
 * A transaction that linked its own record would hold the chain's end from there to its commit, and every other one that records something
 * would wait for it or be in conflict with it. So a record is only inserted by its transaction, and sealed right after the commit, by
 * whichever process comes first: who seals holds the row of the head.
 */
export class Sealer {
  readonly #session: Session
  readonly #onFailure: () => void
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined

  /** @param onFailure hears of a failure in the background; what was not sealed is sealed with the next record. */
  constructor(session: Session, onFailure: () => void) {
    this.#session = session
    this.#onFailure = onFailure
  }

  /** Seals in a moment. */
  soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#inBackground()
    }, PAUSE_MS).unref()
  }

  /** Seals all records that are committed by now. */
  async seal(): Promise<void> {
    for (let sealed = BATCH; sealed === BATCH; ) {
      sealed = await this.#session.transaction(sealBatch, { isolation: 'read committed' })
    }
  }

  /** Seals what waits to be sealed, and ends. */
  async close(): Promise<void> {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer)
      this.#timer = undefined
      await this.#inBackground()
    }
    await this.#running
  }

  async #inBackground(): Promise<void> {
    await this.#running
    this.#running = this.seal().catch(this.#onFailure)
    await this.#running
  }
}

async function sealBatch(session: Session): Promise<number> {
  const head = await lockHead(session)
  // Without its head a chain cannot be gone on with; verify() tells of it.
  if (head['count'] === 0 && (await hasSealed(session))) return 0
  const records = await unsealed(session)
  if (records.length === 0) return 0
  let sequence = head['count'] as number
  let digest = head['digest'] as string
  const sealed = records.map((record) => {
    digest = chainDigest(digest, ++sequence, record)
    return { ...record, sequence, digest }
  })
  await writeSealed(session, sealed)
  await moveHead(session, sequence, digest)
  return sealed.length
}

/** The head's row, locked; a new chain begins with nothing. */
async function lockHead(session: Session): Promise<Row> {
  const plan = session.plan('audit lock head', () => ({
    kind: 'insert',
    model: auditHeads.name,
    columns: HEAD_COLUMNS.map((column) => ({ column, value: 'given' })),
    leading: 0,
    onConflict: { columns: ['chain'], set: [proposed('chain')] },
    returning: HEAD_COLUMNS,
  }))
  const { rows } = await session.execute(plan, [CHAIN, 0, GENESIS, new Date(session.clock.now())])
  return rows[0] as Row
}

async function hasSealed(session: Session): Promise<boolean> {
  const plan = session.plan('audit any sealed', () => ({
    kind: 'select',
    model: auditRecords.name,
    joins: [],
    outputs: outputs(['id']),
    where: not(isNull('sequence')),
    orderBy: descending('sequence'),
    limit: 0,
  }))
  return (await session.execute(plan, [1])).rows.length > 0
}

async function unsealed(session: Session): Promise<Row[]> {
  const plan = session.plan('audit unsealed', () => ({
    kind: 'select',
    model: auditRecords.name,
    joins: [],
    outputs: outputs(RECORD_COLUMNS),
    where: isNull('sequence'),
    // Null for all of them, but said, so that the index is walked that has them together: they are few among many.
    orderBy: ascending('sequence', 'id'),
    limit: 0,
  }))
  return (await session.execute(plan, [BATCH])).rows
}

async function writeSealed(session: Session, records: readonly Row[]): Promise<void> {
  const plan = session.plan('audit seal', () => ({
    kind: 'insert',
    model: auditRecords.name,
    columns: RECORD_COLUMNS.map((column) => ({ column, value: 'given' })),
    leading: 0,
    onConflict: { columns: ['id'], set: [proposed('sequence'), proposed('digest')] },
    returning: [],
  }))
  await session.execute(
    plan,
    records.flatMap((record) => RECORD_COLUMNS.map((column) => record[column])),
  )
}

async function moveHead(session: Session, count: number, digest: string): Promise<void> {
  const plan = session.plan('audit move head', () => ({
    kind: 'update',
    model: auditHeads.name,
    set: [set('count', 0), set('digest', 1), set('sealedAt', 2)],
    orderBy: [],
    returning: [],
  }))
  await session.execute(plan, [count, digest, new Date(session.clock.now())])
}
