import { createHash } from 'node:crypto'
import type { Row } from '../backend/index.ts'

/** What the first record has in place of the digest of the one before. */
export const GENESIS: string = '0'.repeat(64)

/** The digest of what may be erased from a record. */
export function contentDigest({ salt, actor, ip, data }: Row): string {
  return sha256({ salt, actor, ip, data })
}

/** The digest that puts a record at a place in the chain. */
export function chainDigest(previous: string, sequence: number, { id, at, event, success, content }: Row): string {
  return sha256({ previous, sequence, id, at: (at as Date).toISOString(), event, success, content })
}

function sha256(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex')
}

/**
 * JSON in the one form of RFC 8785, so that others can check a digest with any tool: members sorted by the UTF-16 units of their names,
 * no spaces, numbers and texts as `JSON.stringify` writes them.
 */
function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson((value as Row)[name])}`)
  return `{${members.join(',')}}`
}
