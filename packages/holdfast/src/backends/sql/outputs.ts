import { sql } from 'kysely'
import { ValidationError } from '../../base/errors.ts'
import type { Model } from '../../schema/index.ts'
import type { Output } from '../../statement/index.ts'
import type { Decode, Dialect, Sql, ValueType } from './dialect.ts'
import { type Fields, fieldsOf, plainOf, type Term } from './fields.ts'

/** One column of what a statement reads: its name in rows, and how it is decoded. */
export interface OutputColumn {
  readonly name: string
  /** Absent where the driver's value is the port's. */
  readonly decode?: Decode
}

/** A statement ready to become text, and the columns it gives. */
export interface CompilableQuery {
  readonly query: {
    compile(): { readonly sql: string; readonly parameters: readonly unknown[]; readonly query: object }
  }
  readonly outputs: readonly OutputColumn[]
}

/** An output of a select in SQL. */
export interface CompiledOutput {
  readonly column: OutputColumn
  /** What it is, for `having` and `orderBy`. */
  readonly term: Term
  /** What is selected: the term, written so that `column.decode` can read it. */
  readonly read: Sql
  /** What rows are grouped by, where they are grouped by it. */
  readonly identity: Sql
}

/** The columns that a write gives back, as outputs. */
export function returnedColumns(model: Model, columns: readonly string[], dialect: Dialect): CompiledOutput[] {
  const fields = fieldsOf(model, dialect)
  return columns.map((column) => outputOf(column, fields({ source: 0, column, path: [] }), dialect))
}

type Aggregate = Extract<Output, { readonly kind: 'aggregate' }>

const INTEGER: ValueType = { type: 'integer' }
const REAL: ValueType = { type: 'real' }

/** Makes SQL of an output. */
export function compileOutput(output: Output, fields: Fields, dialect: Dialect): CompiledOutput {
  switch (output.kind) {
    case 'field':
      return outputOf(output.name, fields(output.field), dialect)
    case 'dateTrunc': {
      const start = dialect.startOf(output.unit, plainOf(fields(output.field)))
      return outputOf(output.name, value(start, { type: 'timestamp' }), dialect)
    }
    case 'aggregate':
      return compileAggregate(output, fields, dialect)
  }
}

/** A term as an output, with the codec of its type; `check` has a last look at what is decoded. */
function outputOf(name: string, term: Term, dialect: Dialect, check?: Decode): CompiledOutput {
  const codec = dialect.codec(term.kind === 'path' ? { type: 'json' } : term.type)
  const plain = plainOf(term)
  const { decode } = codec
  const checked: Decode | undefined =
    check === undefined ? decode : decode === undefined ? check : (stored) => check(decode(stored))
  return {
    column: { name, ...(checked !== undefined && { decode: checked }) },
    term,
    read: codec.read === undefined ? plain : codec.read(plain),
    identity: term.kind === 'path' ? term.path.identity : plain,
  }
}

function value(of: Sql, type: ValueType): Term {
  return { kind: 'value', sql: of, type, nullable: true }
}

function compileAggregate(
  { name, function: called, field }: Aggregate,
  fields: Fields,
  dialect: Dialect,
): CompiledOutput {
  if (field === undefined) return outputOf(name, value(sql`count(*)`, INTEGER), dialect)
  const term = fields(field)
  switch (called) {
    case 'count':
      return outputOf(name, value(sql`count(${term.kind === 'path' ? term.path.rank : term.sql})`, INTEGER), dialect)
    case 'countDistinct': {
      const distinct = term.kind === 'path' ? term.path.identity : term.sql
      return outputOf(name, value(sql`count(distinct ${distinct})`, INTEGER), dialect)
    }
    case 'min':
    case 'max':
      if (term.kind === 'value')
        return outputOf(name, value(dialect.extreme(called, term.sql, term.type), term.type), dialect)
      return outputOf(name, { kind: 'path', path: dialect.path(term.path.extreme(called), []) }, dialect)
    case 'avg': {
      const mean = term.kind === 'path' ? term.path.total('avg') : dialect.average(term.sql, term.type)
      return outputOf(name, value(mean, REAL), dialect, finite(name, 'has no finite mean'))
    }
    case 'sum':
      return compileSum(name, term, dialect)
  }
}

/** Whole numbers may add up to more than their type holds: they are read exactly and checked. */
function compileSum(name: string, term: Term, dialect: Dialect): CompiledOutput {
  const type = term.kind === 'path' ? REAL : term.type
  const total = value(term.kind === 'path' ? term.path.total('sum') : sql`sum(${term.sql})`, type)
  switch (type.type) {
    case 'integer': {
      const { decode = (stored) => stored, read } = dialect.codec({ type: 'bigint' })
      const safe: Decode = (stored) => {
        const sum = decode(stored)
        if (sum === null || Number.isSafeInteger(Number(sum))) return sum === null ? null : Number(sum)
        return refuse(name, 'adds up to no safe integer')
      }
      const plain = plainOf(total)
      return {
        column: { name, decode: safe },
        term: total,
        read: read === undefined ? plain : read(plain),
        identity: plain,
      }
    }
    case 'bigint':
    case 'decimal': {
      const { read, decode } = dialect.wideSum(plainOf(term), type)
      const fitting: Decode = (stored) => {
        const sum = decode(stored)
        return sum === null || fitsIn64Bits(sum) ? sum : refuse(name, 'adds up to more than 64 bits')
      }
      return { column: { name, decode: fitting }, term: total, read, identity: read }
    }
    default:
      return outputOf(name, total, dialect, finite(name, 'adds up to no finite number'))
  }
}

function fitsIn64Bits(sum: unknown): boolean {
  const units = BigInt(String(sum).replace('.', ''))
  return BigInt.asIntN(64, units) === units
}

function finite(name: string, reason: string): Decode {
  return (number) => (number === null || Number.isFinite(number) ? number : refuse(name, reason))
}

function refuse(path: string, reason: string): never {
  throw resultTooLarge(path, reason)
}

/** What an aggregate fails with that comes to more than the type of its result can hold. */
export function resultTooLarge(path: string, reason: string): ValidationError {
  return new ValidationError(
    'The result is too large',
    [{ path, reason }],
    'Ask for less, or use a type of more digits.',
  )
}
