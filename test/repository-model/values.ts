import type { Fields } from './schema.ts'

/** What stands at a field or a path into JSON, which enters no lists; null where nothing does. */
export function valueAt(record: Fields, field: string): unknown {
  let value: unknown = record
  for (const step of field.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, step)) return null
    value = (value as Fields)[step]
  }
  return value ?? null
}

/** Null, then false and true, numbers, texts, and last lists and objects, which do not order among themselves. */
function rankOf(value: unknown): number {
  if (value === null) return 0
  if (typeof value === 'boolean') return 1
  if (typeof value === 'string') return 3
  return typeof value === 'object' ? 4 : 2
}

/** Compares values of one field: below zero where the left comes first ascending. */
export function compareValues(left: unknown, right: unknown, field: string): number {
  const [one, other] = [comparable(left, field), comparable(right, field)]
  const byRank = rankOf(one) - rankOf(other)
  if (byRank !== 0 || one === null || typeof one === 'object' || typeof other === 'object') return byRank
  if (typeof one === 'string') return Buffer.compare(Buffer.from(one), Buffer.from(String(other)))
  return (one as number) < (other as number) ? -1 : Number((one as number) > (other as number))
}

/** Whether two values of one field may be compared, being of one kind. */
export function areAlike(left: unknown, right: unknown, field: string): boolean {
  const [one, other] = [rankOf(comparable(left, field)), rankOf(comparable(right, field))]
  return one === other && one !== 0 && one !== 4
}

/** Which fields are decimals. */
const DECIMALS = new Set(['budget', 'decimal'])

/** Decimals are texts that order by their value, moments order as numbers, and bytes as the texts that spell them. */
function comparable(value: unknown, field: string): unknown {
  if (DECIMALS.has(field) && typeof value === 'string') return Number(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return value instanceof Date ? value.getTime() : value
}

/** Whether two values of one field are equal; null equals nothing here. */
export function areEqual(left: unknown, right: unknown, field: string): boolean {
  return areAlike(left, right, field) && compareValues(left, right, field) === 0
}

/** Whether a record has what another has in some fields, none of which is null. */
export function agreesIn(record: Fields, other: Fields, fields: readonly string[]): boolean {
  return fields.every((field) => areEqual(valueAt(record, field), valueAt(other, field), field))
}
