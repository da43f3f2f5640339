import type { Traits } from '../backend/index.ts'
import { MigrationError } from '../base/errors.ts'

/** What cannot be part of a statement: comments and quoted names and texts, also those of Postgres between dollars. */
const TOKENS =
  /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|(\$(?:[A-Za-z_]\w*)?\$)[\s\S]*?\1|;|[A-Za-z_]\w*|\S/g

const ENDS = new Set(['begin', 'commit', 'end', 'rollback', 'savepoint', 'release', 'abort'])

/**
 * Sees that SQL of a migration leaves its transaction alone.
 *
 * @throws MigrationError for a statement that begins or ends a transaction, or that Postgres only runs outside of one.
 */
export function assertInTransaction(text: string, dialect: NonNullable<Traits['sql']>): void {
  for (const words of statementsOf(text)) {
    const [first = '', second = ''] = words
    const isSplit = (first === 'start' || first === 'prepare') && second === 'transaction'
    if (ENDS.has(first) || isSplit) {
      throw new MigrationError(`The SQL of a step says ${isSplit ? `${first} ${second}` : first}.`, {
        hint: 'A migration is a transaction of its own: leave out what begins or ends one.',
      })
    }
    if (dialect === 'postgres' && words.slice(0, 5).includes('concurrently')) {
      throw new MigrationError(
        'The SQL of a step says concurrently, which Postgres does not do inside a transaction.',
        {
          hint: 'Write m.createIndex(table, fields, { concurrently: true }).',
        },
      )
    }
  }
}

/** The first words of each statement, in small letters. The bodies of triggers and functions are part of theirs. */
function statementsOf(text: string): string[][] {
  const statements: string[][] = []
  let words: string[] = []
  let inBody = false
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === ';') {
      if (inBody && words[0] !== 'end') {
        words = []
        continue
      }
      if (!inBody) statements.push(words)
      inBody = false
      words = []
    } else if (/^(?!--|\/\*)/.test(token)) {
      const word = token.toLowerCase()
      if (word === 'begin' && isDefinition(words)) {
        inBody = true
        statements.push(words)
        words = []
      } else words.push(word)
    }
  }
  if (!inBody) statements.push(words)
  return statements.filter(({ length }) => length > 0)
}

/** `create trigger …`, `create or replace function …`: what they do stands between begin and end. */
function isDefinition([first, ...rest]: readonly string[]): boolean {
  return first === 'create' && rest.slice(0, 3).some((word) => ['trigger', 'function', 'procedure'].includes(word))
}
