/** Makes a conversion of values one that lets nothing through as null. */
export function nullable(convert: (value: never) => unknown): (value: unknown) => unknown {
  return (value) => (value === null || value === undefined ? null : convert(value as never))
}
