import type { Plan, Session } from '../backend/index.ts'
import {
  type Assignment,
  all,
  ascending,
  type Condition,
  compare,
  equals,
  type Insert,
  isNull,
  not,
  oneOf,
  outputs,
  proposed,
  set,
} from '../statement/index.ts'
import { cacheEntries } from './model.ts'

const model = cacheEntries.name
const COLUMNS = cacheEntries.columns.map(({ name }) => name)
const READ = ['key', 'longKey', 'value', 'freshUntil', 'keepUntil', 'generation', 'epoch', 'marks']
const KEY = ['cache', 'key']

/** The columns of a written row, in the order of its parameters. */
export const WRITTEN: readonly string[] = COLUMNS

function select(names: readonly string[], where: Condition) {
  return {
    kind: 'select',
    model,
    joins: [],
    outputs: outputs(names),
    orderBy: [],
    where,
  } as const
}

/** One row: (cache, key). */
export function readOne(session: Session): Plan {
  return session.plan('cache read', () => select(READ, all(equals('cache', 0), equals('key', 1))))
}

/** Several rows: (cache, keys). */
export function readMany(session: Session): Plan {
  return session.plan('cache read many', () => select(READ, all(equals('cache', 0), oneOf('key', 1))))
}

/** The generations of several rows: (cache, keys). */
export function readGenerations(session: Session): Plan {
  return session.plan('cache generations', () =>
    select(['key', 'longKey', 'generation'], all(equals('cache', 0), oneOf('key', 1))),
  )
}

/** Rows as they are given, in place of those that are there. */
export function write(session: Session): Plan {
  return session.plan('cache write', () => insertOf(COLUMNS.filter((name) => !KEY.includes(name)).map(proposed), []))
}

/** Rows as they are given, unless there is one; gives the keys of those that were written. */
export function writeNew(session: Session): Plan {
  return session.plan('cache write new', () => insertOf([], ['key']))
}

function insertOf(changes: readonly Assignment[], returning: readonly string[]): Insert {
  return {
    kind: 'insert',
    model,
    columns: COLUMNS.map((column) => ({ column, value: 'given' })),
    leading: 0,
    onConflict: { columns: KEY, set: changes },
    returning,
  }
}

const REPLACED = ['longKey', 'value', 'freshUntil', 'keepUntil', 'generation', 'epoch', 'marks', 'writer', 'place']

/** The columns that `replace` sets, in the order of its parameters from 3 on. */
export const REPLACING: readonly string[] = REPLACED

/** The row whose generation is still the same: (cache, key, generation seen, the values of `REPLACING`). */
export function replace(session: Session): Plan {
  return session.plan('cache replace', () => ({
    kind: 'update',
    model,
    set: REPLACED.map((name, at) => set(name, 3 + at)),
    where: all(equals('cache', 0), equals('key', 1), equals('generation', 2)),
    orderBy: [],
    returning: [],
  }))
}

/** Deletes an entry that is there, leaving the row: (cache, key, now, epoch, keepUntil, generation, writer, place, null, 0). */
export function bury(session: Session): Plan {
  return session.plan('cache bury', () => ({
    kind: 'update',
    model,
    set: [
      set('value', 8),
      set('freshUntil', 9),
      set('keepUntil', 4),
      set('generation', 5),
      set('writer', 6),
      set('place', 7),
    ],
    where: all(
      equals('cache', 0),
      equals('key', 1),
      compare('freshUntil', 'gt', 2),
      equals('epoch', 3),
      not(isNull('value')),
    ),
    orderBy: [],
    returning: ['marks'],
  }))
}

/** The rows of a cache that are entries; the others mark clearings and tags. `from` is the place of `ENTRY_KEYS` in the parameters. */
function isEntry(from: number): Condition[] {
  return [equals('cache', 0), compare('key', 'gte', from), compare('key', 'lt', from + 1)]
}

/** The keys of entries begin with `h:`, `n:` or `s:`. */
export const ENTRY_KEYS: readonly string[] = ['h:', 's;']

/** Some entries of a cache: (cache, limit, ...ENTRY_KEYS). */
export function removeSome(session: Session): Plan {
  return session.plan('cache remove some', () => ({
    kind: 'delete',
    model,
    where: all(...isEntry(2)),
    orderBy: ascending('key'),
    limit: 1,
    returning: [],
  }))
}

/** All entries of a cache, in one statement: (cache, ...ENTRY_KEYS). */
export function removeAll(session: Session): Plan {
  return session.plan('cache remove all', () => ({
    kind: 'delete',
    model,
    where: all(...isEntry(1)),
    orderBy: [],
    returning: [],
  }))
}

/** The fresh entries of a cache, with their values or without: (cache, ...ENTRY_KEYS, now, epoch). */
export function list(session: Session, values: boolean): Plan {
  const names = values ? READ : READ.filter((name) => name !== 'value')
  return session.plan(values ? 'cache list' : 'cache list keys', () =>
    select(names, all(...isEntry(1), compare('freshUntil', 'gt', 3), equals('epoch', 4), not(isNull('value')))),
  )
}

/** Some rows that are kept no longer: (now, limit). */
export function sweepSome(session: Session): Plan {
  return session.plan('cache sweep', () => ({
    kind: 'delete',
    model,
    where: compare('keepUntil', 'lt', 0),
    orderBy: [],
    limit: 1,
    skipLocked: true,
    returning: [],
  }))
}
