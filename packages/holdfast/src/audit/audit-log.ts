import type { Row, Session } from '../backend/index.ts'
import { type Page, type PageQuery, type Query, Repository } from '../repository/index.ts'
import type { Schema } from '../schema/index.ts'
import { auditRecords } from './models.ts'
import { type AuditEntry, type AuditRecord, acceptEntry, PUBLIC_FIELDS } from './record.ts'
import type { Redaction } from './redaction.ts'
import type { Sealer } from './sealer.ts'

/** What all audit logs of a storage share. */
export interface AuditHost {
  readonly redaction: Redaction
  readonly sealer: Sealer
}

type Records = Repository<AuditRecord, Row, string, Schema, Record<never, never>>

/**
 * The audit log: what happened, who did it and whether it was done, in records that are only added to. In a transaction, a record is kept
 * exactly when the transaction commits.
 */
export class AuditLog {
  protected readonly session: Session
  protected readonly host: AuditHost
  protected readonly records: Records

  constructor(session: Session, host: AuditHost) {
    this.session = session
    this.host = host
    this.records = new Repository(session, auditRecords)
  }

  /**
   * Adds a record.
   *
   * @throws ValidationError for what cannot be recorded.
   *
   * @example
   * ```ts
   * await storage.audit.record({ actor: 'kim', event: 'login', success: false, ip: '203.0.113.7' })
   * ```
   */
  async record(entry: AuditEntry): Promise<AuditRecord> {
    const at = new Date(this.session.clock.now())
    const row = acceptEntry(entry, this.session.actor, at, this.host.redaction)
    const created = await this.records.create(row)
    this.session.afterCommit(() => this.host.sealer.soon())
    return publicRecord(created)
  }

  /**
   * The records that match, the oldest first unless ordered otherwise.
   *
   * @example
   * ```ts
   * const failed = await storage.audit.find({ where: { event: 'login', success: false }, orderBy: { at: 'desc' }, limit: 20 })
   * ```
   */
  find<const Field extends keyof AuditRecord = keyof AuditRecord>(
    query: Query<AuditRecord, Field> = {},
  ): Promise<Pick<AuditRecord, Field>[]> {
    return this.records.find(selected(query)) as unknown as Promise<Pick<AuditRecord, Field>[]>
  }

  /** One page of the records that match. */
  page(query: PageQuery<AuditRecord> = {}): Promise<Page<AuditRecord>> {
    return this.records.page(selected(query)) as unknown as Promise<Page<AuditRecord>>
  }

  /** How many records match. */
  count(where?: Query<AuditRecord>['where']): Promise<number> {
    return this.records.count(where)
  }
}

function selected<Q extends { readonly select?: readonly (keyof AuditRecord)[] }>(query: Q): never {
  // What is not an object is refused by the repository.
  if (typeof query !== 'object' || query === null) return query as never
  return { ...query, select: query.select ?? PUBLIC_FIELDS } as never
}

function publicRecord(row: object): AuditRecord {
  return Object.fromEntries(PUBLIC_FIELDS.map((name) => [name, (row as Row)[name]])) as unknown as AuditRecord
}
