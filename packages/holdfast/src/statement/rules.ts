/**
 * The rules of equality, order, null and numbers, which every backend keeps. SQL backends compile to them, the
 * memory backend calls these functions, and the conformance suite compares the two.
 *
 * **Equality.** Values are equal when their type and content are: text by code points (`'a'`, `'A'` and `'á'` differ, and
 * so does `'a '`), timestamps by the millisecond, bytes by content. `1` and `1.0` are one number, `-0` is `0`.
 *
 * **Null.** Null equals null in `{ field: null }`; every other comparison with null is false, and `ne`, `notIn` and `not`
 * are exact complements, so they find nulls. Nulls never collide in a unique index. They form one group in `groupBy`.
 *
 * **Order.** Null first ascending, last descending. Text by code point, which is not JavaScript's `<` (that goes by
 * UTF-16 units and puts `'\u{1F600}'` before `'\uFB01'`). False before true. Bytes by unsigned bytes, a prefix first. Decimals
 * by value. Ties are broken by the primary key.
 *
 * **JSON paths.** What stands at a path orders by its type first: missing and null, then booleans, numbers, texts, and
 * last lists and objects, which do not order among themselves. Missing and null are both found by `{ path: null }`. A
 * comparison speaks of one type: `{ 'owner.age': { gt: 5 } }` never finds a text. `has` looks for a scalar in a list.
 *
 * **Numbers.** `count` gives a number; `sum` of an `integer` column or a JSON path a number, refused outside the safe
 * integers for integers; `sum` of a `bigint` a bigint of 64 bits; `sum` of a `decimal` text with the column's scale; `avg` a
 * number for all. Reals are added in whatever order the backend reads them, so the last bits may differ.
 */

const HIGH_UNITS = /[\ud800-\uffff]/

/**
 * Whether a text holds units from U+D800 on. JavaScript's `<` compares two texts by code point unless both do, and is several
 * times faster than looking at the units.
 */
export function hasHighUnits(text: string): boolean {
  return HIGH_UNITS.test(text)
}

/** Compares texts by code point: the order of UTF-8 bytes, of `COLLATE "C"` and of SQLite's BINARY. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0
  if (!hasHighUnits(left) || !hasHighUnits(right)) return left < right ? -1 : 1
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const a = left.charCodeAt(at)
    const b = right.charCodeAt(at)
    if (a !== b) return codePointRank(a) - codePointRank(b)
  }
  return left.length - right.length
}

/** Units of surrogate pairs stand for code points above all others, so they rank above U+E000 to U+FFFF. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

/** Compares bytes as unsigned numbers; a prefix comes first. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const difference = (left[at] as number) - (right[at] as number)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
