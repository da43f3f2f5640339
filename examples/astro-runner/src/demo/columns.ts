import { stripVTControlCharacters } from 'node:util'

/** Lays rows out in columns as wide as they must be; `indent` stands before each line. */
export function columns(rows: readonly (readonly string[])[], indent = '  '): string {
  const width = (cell: string) => stripVTControlCharacters(cell).length
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, at) => Math.max(most[at] ?? 0, width(cell))), [])
  return rows
    .map((row) => indent + row.map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - width(cell))).join('  '))
    .map((line) => line.trimEnd())
    .join('\n')
}
