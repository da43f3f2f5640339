import type { AnyColumn } from './step.ts'

/** What rows that are there may hold in a new column that is required and has no default; null where nothing is needed, or nothing would do. */
export function placeholderOf({ definition }: AnyColumn): { readonly value: unknown } | null {
  const { nullable, generated, default: given, type, values, scale = 0, references, check, unique } = definition
  const hasDefault = given?.kind === 'now' || (given?.kind === 'value' && given.value !== null)
  if (nullable || generated || hasDefault || references !== undefined || check !== undefined || unique) return null
  switch (type) {
    case 'text':
      return { value: '' }
    case 'integer':
    case 'real':
      return { value: 0 }
    case 'bigint':
      return { value: 0n }
    case 'decimal':
      return { value: scale === 0 ? '0' : `0.${'0'.repeat(scale)}` }
    case 'boolean':
      return { value: false }
    case 'timestamp':
      return { value: new Date(0) }
    case 'date':
      return { value: '1970-01-01' }
    case 'uuid':
      return { value: '00000000-0000-0000-0000-000000000000' }
    case 'json':
      return { value: {} }
    case 'bytes':
      return { value: new Uint8Array() }
    case 'enum':
      return values?.[0] === undefined ? null : { value: values[0] }
  }
}
