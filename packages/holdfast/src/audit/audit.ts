import type { Row } from '../backend/index.ts'
import { Repository } from '../repository/index.ts'
import { assertOptions, type Where } from '../schema/index.ts'
import { all, EVERYTHING, equals, isNull, modelScope, not, readWhere, Shape, set } from '../statement/index.ts'
import { AuditLog } from './audit-log.ts'
import { auditRecords } from './models.ts'
import { type AuditRecord, ERASED, newRow } from './record.ts'
import { type AuditAnchor, type AuditReport, verifyChain } from './verify.ts'

/** How many erased records one record tells of. */
const ERASED_TOGETHER = 1_000

/** Which records to export. */
export interface AuditExport {
  readonly where?: Where<AuditRecord>
}

/** The audit log outside of transactions: what `AuditLog` does, and what concerns all of it. */
export class Audit extends AuditLog {
  /**
   * Seals what waits and examines the chain: finds every record that was edited, removed, moved or put in by other means than this log.
   *
   * Who can write all of the database can also make a new chain. To find even that, keep the `count` and `digest` of a report
   * elsewhere, and give them later.
   *
   * @param anchor where the chain ended once, from an earlier report.
   *
   * @example
   * ```ts
   * const { ok, problems } = await storage.audit.verify()
   * ```
   */
  async verify(anchor?: AuditAnchor): Promise<AuditReport> {
    await this.host.sealer.seal()
    return verifyChain(this.session, anchor)
  }

  /**
   * The records as NDJSON, a line each, in the order of the chain and with what their digests are made of. Records that are not sealed
   * come first.
   *
   * @example
   * ```ts
   * await pipeline(storage.audit.export({ where: { at: { gte: from } } }), createWriteStream('audit.ndjson'))
   * ```
   */
  async *export(options: AuditExport = {}): AsyncGenerator<string, void, undefined> {
    assertOptions('An export of the audit log was refused', options, ['where'])
    const { where } = options
    const query = { orderBy: [{ sequence: 'asc' }, { id: 'asc' }], ...(where !== undefined && { where }) } as const
    for await (const record of this.records.stream(query)) yield `${JSON.stringify(record)}\n`
  }

  /**
   * Takes actor, ip and data out of the records that match, for good, and records that. The chain stays valid, since it runs over digests
   * of them.
   *
   * @param reason why, for the record of it.
   * @returns how many records were erased.
   *
   * @example
   * ```ts
   * await storage.audit.erase({ actor: 'kim' }, 'asked to be forgotten')
   * ```
   */
  async erase(where: Where<AuditRecord>, reason: string): Promise<number> {
    const shape = new Shape('audit erase')
    const none = shape.add(null)
    if (where === undefined) shape.refuse('where', 'is required; write {} to mean every record')
    const condition = readWhere(where ?? {}, modelScope(auditRecords), shape)
    const own = shape.add(ERASED)
    if (typeof reason !== 'string' || reason === '') shape.refuse('reason', 'must be text that is not empty')
    shape.assertValid('The erasure was refused')
    const plan = this.session.plan(shape.key, () => ({
      kind: 'update',
      model: auditRecords.name,
      set: ['salt', 'actor', 'ip', 'data'].map((column) => set(column, none)),
      where: all(condition ?? EVERYTHING, not(isNull('salt')), not(equals('event', own))),
      orderBy: [],
      returning: ['id'],
    }))
    const erased = await this.session.transaction(async (inner) => {
      const { rows } = await inner.execute(plan, shape.parameters)
      const ids = rows.map(({ id }) => id as string).sort()
      await new Repository(inner, auditRecords).createMany(this.#telling(ids, reason))
      return ids.length
    })
    this.host.sealer.soon()
    return erased
  }

  /** The records that tell of an erasure. */
  #telling(ids: readonly string[], reason: string): Row[] {
    const at = new Date(this.session.clock.now())
    const parts = Array.from({ length: Math.ceil(ids.length / ERASED_TOGETHER) }, (_, part) =>
      ids.slice(part * ERASED_TOGETHER, (part + 1) * ERASED_TOGETHER),
    )
    return parts.map((part) =>
      newRow({ actor: this.session.actor, event: ERASED, data: { ids: part, reason }, success: true, ip: null }, at),
    )
  }
}
