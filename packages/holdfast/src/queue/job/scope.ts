import type { Session } from '../../backend/index.ts'
import type { QueueDeclaration } from '../../schema/index.ts'

/** A queue, as it is seen from one session. */
export interface QueueScope {
  readonly session: Session
  readonly queue: string
  readonly declaration: QueueDeclaration | undefined
  /** What is declared of any queue. */
  readonly declarationOf: (queue: string) => QueueDeclaration | undefined
}

/** Isolation of the queue's own transactions: each row is changed by whoever holds or has locked it, so nothing stronger is needed. */
export const OWN = { isolation: 'read committed' } as const
