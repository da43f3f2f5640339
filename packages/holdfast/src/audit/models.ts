import { type Model, resolveOwnModel, t, table } from '../schema/index.ts'

/**
 * Audit records. They are only ever inserted; sealing gives a record its place in the chain, once.
 *
 * ```
 *   content = SHA-256 of { salt, actor, ip, data }            made when the record is written
 *   digest  = SHA-256 of { previous digest, sequence, id, at, event, success, content }      made when it is sealed
 * ```
 *
 * What may be personal enters the chain through `content` only, so it can be erased later and the chain still fits.
 */
export const auditRecords: Model = resolveOwnModel(
  'holdfastAudit',
  table(
    {
      id: t.id(),
      /** The place in the chain, from 1 on; null until it is sealed. */
      sequence: t.integer().nullable(),
      at: t.timestamp(),
      actor: t.text().nullable(),
      event: t.text(),
      data: t.json().nullable(),
      success: t.boolean(),
      ip: t.text().nullable(),
      /** At random, so that what was erased cannot be guessed from `content`; null once it is erased. */
      salt: t.text().nullable(),
      content: t.text(),
      digest: t.text().nullable(),
    },
    {
      indexes: [
        ['sequence', 'id'],
        ['event', 'at'],
        ['actor', 'at'],
      ],
    },
  ),
)

/** The end of the chain, apart from the records, so that a tail that is cut off is missed. Who seals holds its row. */
export const auditHeads: Model = resolveOwnModel(
  'holdfastAuditHeads',
  table({ chain: t.text().primaryKey(), count: t.integer(), digest: t.text(), sealedAt: t.timestamp() }),
)

/** The tables of the audit log. */
export const auditModels: readonly Model[] = [auditRecords, auditHeads]
