import type { Isolation, Session } from '../../backend/index.ts'
import type { LoopHost } from '../../base/loop-bell.ts'

/** What workers need of the storage they run on. */
export interface WorkerHost<Tx> extends LoopHost {
  /** A transaction that begins when it is first used; or a savepoint. */
  openLater(options?: LaterOptions): LaterTransaction<Tx>
  /** What was noted and has not stopped, workers and whatever else: the same set for all hosts of a storage. */
  readonly running: ReadonlySet<object>
}

/** What a transaction is that begins when it is first used. */
export interface LaterOptions {
  /** `serializable` unless given. */
  readonly isolation?: Isolation
  /** The session of one in whose `run` it is a part, one after the other, each undone alone: a savepoint. */
  readonly within?: Session
}

/** A transaction that begins when it is first used, and takes in the completion of a job. */
export interface LaterTransaction<Tx> {
  readonly tx: Tx
  /** The transaction itself. */
  readonly session: Session
  /** Whether it has begun. */
  readonly used: boolean
  /** Whether a statement failed in it so that it can only be undone. */
  readonly broken: boolean
  /** Runs the handler so that a wrong use of the storage inside is noticed. */
  run<T>(work: () => T): T
  /** From now on it cannot begin; whether it has begun, and so is to be committed. */
  end(): boolean
  /** Runs `last` in the transaction, which has begun, and commits it. */
  commit(last: (session: Session) => Promise<void>): Promise<void>
  /** Undoes what was done in it, if anything. */
  rollback(): Promise<void>
}
