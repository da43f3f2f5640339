import type { Row, Session } from '../backend/index.ts'
import { Repository } from '../repository/index.ts'
import type { GraphDeclaration, Model } from '../schema/index.ts'
import type { GraphModels } from './models.ts'

/** What the parts of a graph work with. */
export interface GraphContext {
  readonly session: Session
  readonly name: string
  readonly models: GraphModels
  /** Undefined for a graph that nobody declared: it takes any label, relation and data. */
  readonly declaration: GraphDeclaration | undefined
}

type Rows = Repository<Row, Row, string, never, Record<never, never>>

/** The nodes or edges as records. */
export function recordsOf(session: Session, model: Model): Rows {
  return new Repository(session, model)
}

/** Runs `work` so that its statements take effect together. */
export function together<T>(session: Session, work: (session: Session) => Promise<T>): Promise<T> {
  return session.inTransaction ? work(session) : session.transaction(work)
}

/** How many ids one statement is given at most: enough to cost nothing, and few enough to leave others their turn. */
const IDS_A_STATEMENT: number = 2_000

/** Cuts a list into parts of at most `size`. */
export function* partsOf<T>(list: readonly T[], size: number = IDS_A_STATEMENT): Generator<readonly T[]> {
  if (list.length <= size) {
    if (list.length > 0) yield list
    return
  }
  for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size)
}
