import { compareBytes, compareText } from '../../statement/index.ts'

/** Stands for any list or object at a JSON path: they do not order among themselves. */
export const SOME_OBJECT: object = Object.freeze({})

/** Compares two stored values as `statement/rules.ts` orders them: null, booleans, numbers, texts, lists and objects. */
export function compareStored(left: unknown, right: unknown): number {
  if (left === right) return 0
  const rank = rankOf(left)
  const difference = rank - rankOf(right)
  if (difference !== 0) return difference
  if (rank === TEXT) return compareText(left as string, right as string)
  if (rank < TEXT) return (left as number) < (right as number) ? -1 : 1
  return left instanceof Uint8Array && right instanceof Uint8Array ? compareBytes(left, right) : 0
}

const TEXT = 3

function rankOf(value: unknown): number {
  switch (typeof value) {
    case 'boolean':
      return 1
    case 'number':
    case 'bigint':
      return 2
    case 'string':
      return TEXT
    default:
      return value === null ? 0 : 4
  }
}

/** Something that is the same exactly for equal stored values of one type, to look them up in a `Map` or `Set`. */
export function identityOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : `\0${JSON.stringify(value)}`
}

/** Like `identityOf`, for several values together. */
export function identityOfAll(values: readonly unknown[]): unknown {
  if (values.length === 1) return identityOf(values[0])
  let text = ''
  for (const value of values) {
    const part = String(identityOf(value))
    text += `${typeof value === 'object' && value === null ? 'null' : typeof value}:${part.length}:${part}`
  }
  return text
}
