import type { Plan, Result, Row } from '../../backend/index.ts'
import type { Statement } from '../../statement/index.ts'
import type { Catalog } from './catalog.ts'
import { compileChange } from './change.ts'
import { compileInsert } from './insert.ts'
import { compileSelect, type Reading } from './select.ts'
import type { View } from './view.ts'

/** A statement made ready for the tables of a catalog. */
export interface Compiled {
  /** Executes it. */
  run(view: View, parameters: readonly unknown[], nowMs: number): Result
  /** How it reads; for selects. */
  readonly reading?: Reading
}

/** A plan of this backend. It is compiled at its first execution, and again when the schema was edited. */
export class MemoryPlan implements Plan {
  readonly statement: Statement
  /** Nothing is gained here by running calls together. */
  readonly gathers = false
  readonly writes: boolean
  #catalog: Catalog | undefined
  #compiled: Compiled | undefined

  constructor(statement: Statement) {
    this.statement = statement
    this.writes = statement.kind !== 'select'
  }

  /** The plan for the tables of a catalog. */
  compiledFor(catalog: Catalog): Compiled {
    if (this.#compiled === undefined || this.#catalog !== catalog) {
      this.#compiled = compile(this.statement, catalog)
      this.#catalog = catalog
    }
    return this.#compiled
  }
}

function compile(statement: Statement, catalog: Catalog): Compiled {
  switch (statement.kind) {
    case 'select': {
      const reading = compileSelect(statement, catalog)
      return { reading, run: (view, parameters, nowMs) => readAll(reading, view, parameters, nowMs) }
    }
    case 'insert':
      return { run: compileInsert(statement, catalog) }
    default:
      return { run: compileChange(statement, catalog) }
  }
}

function readAll(reading: Reading, view: View, parameters: readonly unknown[], nowMs: number): Result {
  const found = reading.find(view, parameters, nowMs)
  const rows: Row[] = []
  for (let row = found.next(); row !== undefined; row = found.next()) rows.push(reading.handOut(row))
  return { rows, count: rows.length }
}
