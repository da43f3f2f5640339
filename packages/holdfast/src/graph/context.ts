import { setImmediate as nextTurn } from 'node:timers/promises'
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

/** How many ids one statement is given: enough to cost little each, and so few that its answer takes a few milliseconds at most. */
export const IDS_A_STATEMENT = 2_000

/** How many such statements are under way at once. */
const STATEMENTS_AT_ONCE = 4

/** Asks for a list part by part, in order, and lets others have their turn in between. */
export async function* byParts<Item, T>(
  list: readonly Item[],
  ask: (part: readonly Item[]) => Promise<T>,
  size: number = IDS_A_STATEMENT,
): AsyncGenerator<T> {
  let asked: Promise<T>[] = []
  for (const part of partsOf(list, size)) {
    if (asked.length === STATEMENTS_AT_ONCE) {
      yield* await Promise.all(asked)
      await nextTurn()
      asked = []
    }
    asked.push(ask(part))
  }
  yield* await Promise.all(asked)
}

/** Cuts a list into parts of at most `size`. */
export function* partsOf<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  if (list.length > 0 && list.length <= size) yield list
  else for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size)
}
