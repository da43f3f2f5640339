import { randomBytes } from 'node:crypto'
import type { Row } from '../backend/index.ts'
import { type Issue, ValidationError } from '../base/errors.ts'
import { newId } from '../base/ids.ts'
import { acceptJson, describe, isStorableText, UNSTORABLE_TEXT } from '../schema/index.ts'
import { contentDigest } from './digest.ts'
import type { Redaction } from './redaction.ts'

/** What happened, as it is told to the audit log. */
export interface AuditEntry {
  /** What happened: `login`, `user.deleted`. Names that begin with `audit.` are the log's own. */
  readonly event: string
  /** Who did it; the actor of `storage.as(actor)` unless given. A number is kept as text. */
  readonly actor?: string | number | null
  /** Anything JSON; the fields named for redaction are replaced before it is written. */
  readonly data?: unknown
  /** Whether it was done, or refused; true unless given. */
  readonly success?: boolean
  /** The address it came from. */
  readonly ip?: string | null
}

/** A record of the audit log. */
export interface AuditRecord {
  id: string
  /** The place in the chain, from 1 on; null until it is sealed, moments after the commit. */
  sequence: number | null
  at: Date
  actor: string | null
  event: string
  data: unknown
  success: boolean
  ip: string | null
}

/** The fields of a record that people see. */
export const PUBLIC_FIELDS: readonly (keyof AuditRecord)[] = [
  'id',
  'sequence',
  'at',
  'actor',
  'event',
  'data',
  'success',
  'ip',
]

/** The event of the records that tell of erasures. */
export const ERASED = 'audit.erased'

const ENTRY_FIELDS = ['event', 'actor', 'data', 'success', 'ip']

/**
 * The row of a new record.
 *
 * @throws ValidationError naming every field that is wrong.
 */
export function acceptEntry(entry: AuditEntry, actor: string | null, at: Date, redaction: Redaction): Row {
  const issues: Issue[] = []
  const given: Row = isObject(entry) ? (entry as unknown as Row) : {}
  if (!isObject(entry)) issues.push({ path: '', reason: `must be an object, got ${describe(entry)}` })
  for (const name of Object.keys(given)) {
    if (!ENTRY_FIELDS.includes(name)) issues.push({ path: name, reason: `is not one of ${ENTRY_FIELDS.join(', ')}` })
  }
  const { event, data, success = true } = given
  if (typeof event !== 'string' || event === '')
    issues.push({ path: 'event', reason: `must be text that is not empty, got ${describe(event)}` })
  else if (event.startsWith('audit.'))
    issues.push({ path: 'event', reason: "begins with 'audit.', which the log keeps for itself" })
  else if (!isStorableText(event)) issues.push({ path: 'event', reason: UNSTORABLE_TEXT })
  if (typeof success !== 'boolean')
    issues.push({ path: 'success', reason: `must be true or false, got ${describe(success)}` })
  const row = {
    actor: acceptActor(given['actor'], issues) ?? actor,
    event,
    data: data === undefined ? null : redaction.apply(acceptJson(data, 'data', issues)),
    success,
    ip: acceptText(given['ip'], 'ip', issues),
  }
  if (issues.length > 0) throw new ValidationError('The audit record was refused', issues)
  return newRow(row, at)
}

/** A row with its salt and the digest of its content. */
export function newRow(row: Row, at: Date): Row {
  const salted: Row = { id: newId(), sequence: null, at, ...row, salt: randomBytes(16).toString('hex'), digest: null }
  return { ...salted, content: contentDigest(salted) }
}

/** Who acts, as it is kept: text, or null for nobody named. */
export function acceptActor(actor: unknown, issues: Issue[]): string | null {
  return acceptText(Number.isSafeInteger(actor) ? String(actor) : actor, 'actor', issues)
}

function acceptText(value: unknown, path: string, issues: Issue[]): string | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'string' || value === '')
    issues.push({ path, reason: `must be text that is not empty, got ${describe(value)}` })
  else if (!isStorableText(value)) issues.push({ path, reason: UNSTORABLE_TEXT })
  return value as string
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
