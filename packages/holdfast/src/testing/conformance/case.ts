import type { BackendFactory, Traits } from '../../backend/index.ts'
import type { Schema } from '../../schema/index.ts'
import type { Storage, StorageOptions } from '../../storage/index.ts'

/** An empty database for one case. */
export interface TestDatabase {
  /** The backend on this database; called once for each storage that is opened on it. */
  readonly backend: BackendFactory
  /** Takes the database away. All storages on it are closed by then. */
  remove(): Promise<void>
}

/** Makes an empty database; called once for each case. */
export type NewDatabase = () => Promise<TestDatabase>

/** What a case may need of a backend: a trait that is not false there. */
export type TraitName = keyof Traits

/** What a case is given. */
export interface ConformanceContext {
  /** The traits of the backend. */
  readonly traits: Traits
  /**
   * Opens a storage on the database of the case, which is empty at first. It is closed when the case ends. Another call opens the same
   * database again, where the backend is `persistent`.
   */
  open<const S extends Schema>(schema: S, options?: Omit<StorageOptions<S>, 'schema'>): Promise<Storage<S>>
}

/** One promise that every backend keeps, and the attempt to break it. */
export interface ConformanceCase {
  /** Its subject and its name: `where/complement`. It never changes. */
  readonly id: string
  /** The promise, as a sentence. */
  readonly title: string
  /** Traits without which it means nothing. */
  readonly needs?: readonly TraitName[]
  /** Rejects when the promise is broken. */
  run(context: ConformanceContext): Promise<void>
}
