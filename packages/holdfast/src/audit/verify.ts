import type { Row, Session } from '../backend/index.ts'
import { type Issue, ValidationError } from '../base/errors.ts'
import { checkWhole, describe } from '../schema/index.ts'
import { ascending, equals, isNull, not, outputs } from '../statement/index.ts'
import { chainDigest, contentDigest, GENESIS } from './digest.ts'
import { auditHeads, auditRecords } from './models.ts'
import { ERASED } from './record.ts'
import { CHAIN } from './sealer.ts'

/** How many problems a report names. */
const MOST_PROBLEMS = 100

/** Where a chain ended: how many records it had, and the digest of the last. */
export interface AuditAnchor {
  readonly count: number
  readonly digest: string
}

/** Something that was done behind the log's back. */
export interface AuditProblem {
  /**
   * `changed`: the record is not what was sealed, or not where; `missing`: records that were sealed are gone; `added`: a record was put
   * into the chain; `head`: the chain does not end as it did.
   */
  readonly kind: 'changed' | 'missing' | 'added' | 'head'
  /** The place in the chain; for several that are missing, of the first. */
  readonly sequence: number
  /** The record, where there is one. */
  readonly id?: string
  readonly reason: string
}

/** What an examination of the chain found. */
export interface AuditReport extends AuditAnchor {
  /** Whether all is as it was sealed. */
  readonly ok: boolean
  /** The first hundred problems, in the order of the chain. */
  readonly problems: readonly AuditProblem[]
}

/**
 * Examines the whole chain, from one snapshot and with constant memory.
 *
 * @throws ValidationError for an invalid anchor.
 */
export async function verifyChain(session: Session, anchor: AuditAnchor | undefined): Promise<AuditReport> {
  if (anchor !== undefined) assertAnchor(anchor)
  return session.transaction(
    async (inner) => {
      const examination = new Examination(anchor)
      for await (const rows of inner.stream(allSealed(inner), [])) for (const row of rows) examination.next(row)
      return examination.end(await readHead(inner))
    },
    { readOnly: true, isolation: 'repeatable read' },
  )
}

function assertAnchor(anchor: AuditAnchor): void {
  const { count, digest } = (anchor as AuditAnchor | null) ?? {}
  const issues: Issue[] = []
  checkWhole(count, 0, 'anchor.count', issues)
  if (typeof digest !== 'string')
    issues.push({ path: 'anchor.digest', reason: `must be text, got ${describe(digest)}` })
  if (issues.length > 0) throw new ValidationError('Verifying the audit log was refused', issues)
}

class Examination {
  readonly #anchor: AuditAnchor | undefined
  readonly #problems: AuditProblem[] = []
  readonly #erased = new Set<unknown>()
  readonly #withoutContent = new Map<unknown, number>()
  #sequence = 0
  /** The digest of the record before; null when that is missing. */
  #previous: string | null = GENESIS
  #anchored = false

  constructor(anchor: AuditAnchor | undefined) {
    this.#anchor = anchor
  }

  next(row: Row): void {
    const sequence = row['sequence'] as number
    const id = row['id'] as string
    if (sequence <= this.#sequence) {
      this.#problem({ kind: 'added', sequence, id, reason: 'another record has this place' })
      return
    }
    if (sequence > this.#sequence + 1) this.#missing(sequence - 1)
    this.#sequence = sequence
    if (this.#previous !== null && chainDigest(this.#previous, sequence, row) !== row['digest'])
      this.#problem({ kind: 'changed', sequence, id, reason: 'it is not what was sealed here' })
    this.#content(row, sequence, id)
    this.#previous = row['digest'] as string
    if (sequence === this.#anchor?.count) this.#anchored = this.#previous === this.#anchor.digest
  }

  #content(row: Row, sequence: number, id: string): void {
    const { salt, actor, ip, data, event } = row
    if (salt === null && actor === null && ip === null && data === null) this.#withoutContent.set(id, sequence)
    else if (contentDigest(row) !== row['content'])
      this.#problem({ kind: 'changed', sequence, id, reason: 'its actor, ip or data is not what was written' })
    if (event === ERASED) for (const erased of (data as { ids?: unknown[] } | null)?.ids ?? []) this.#erased.add(erased)
  }

  end(head: Row | undefined): AuditReport {
    for (const [id, sequence] of this.#withoutContent) {
      if (!this.#erased.has(id))
        this.#problem({
          kind: 'changed',
          sequence,
          id: id as string,
          reason: 'it was emptied, and no record tells of it',
        })
    }
    const { count = 0, digest = GENESIS } = (head ?? {}) as Partial<AuditAnchor>
    if (count > this.#sequence) this.#missing(count)
    else if (count < this.#sequence)
      this.#problem({
        kind: 'head',
        sequence: count,
        reason: `the chain ends at ${count} and records go on to ${this.#sequence}`,
      })
    else if (digest !== this.#previous)
      this.#problem({
        kind: 'head',
        sequence: count,
        reason: 'the last record is not the one that the chain ended with',
      })
    const anchor = this.#anchor
    if (anchor !== undefined && anchor.count > 0 && !this.#anchored)
      this.#problem({ kind: 'head', sequence: anchor.count, reason: 'the chain is not the one that had this anchor' })
    return { ok: this.#problems.length === 0, count, digest, problems: this.#problems.slice(0, MOST_PROBLEMS) }
  }

  #missing(to: number): void {
    const from = this.#sequence + 1
    const reason = from === to ? 'the record is gone' : `the records ${from} to ${to} are gone`
    this.#problem({ kind: 'missing', sequence: from, reason })
    this.#previous = null
  }

  #problem(problem: AuditProblem): void {
    if (this.#problems.length <= MOST_PROBLEMS) this.#problems.push(problem)
  }
}

function allSealed(session: Session) {
  return session.plan('audit verify', () => ({
    kind: 'select',
    model: auditRecords.name,
    joins: [],
    outputs: outputs(auditRecords.columns.map(({ name }) => name)),
    where: not(isNull('sequence')),
    orderBy: ascending('sequence', 'id'),
  }))
}

async function readHead(session: Session): Promise<Row | undefined> {
  const plan = session.plan('audit head', () => ({
    kind: 'select',
    model: auditHeads.name,
    joins: [],
    outputs: outputs(['count', 'digest']),
    where: equals('chain', 0),
    orderBy: [],
  }))
  return (await session.execute(plan, [CHAIN])).rows[0]
}
