/** What the main thread asks a worker. Each read has an id of its own. */
export type Ask =
  /** Begins a read; the first rows follow. */
  | { readonly kind: 'start'; readonly id: number; readonly text: string; readonly values: readonly unknown[] }
  /** Asks for the next rows. */
  | { readonly kind: 'more'; readonly id: number }
  /** Ends a read before its end. */
  | { readonly kind: 'stop'; readonly id: number }
  /** Closes everything; the worker then ends. */
  | { readonly kind: 'close' }

/** What a worker answers. */
export type Answer =
  /** It has loaded its driver. */
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'rows'
      readonly id: number
      /** Each row as the list of its values, as the driver read them. */
      readonly rows: unknown[]
      /** Whether these were the last. */
      readonly done: boolean
      /** How long it took to read them. */
      readonly milliseconds: number
    }
  | { readonly kind: 'error'; readonly id: number; readonly error: WorkerFailure }

/** An error of a driver, as it travels: SQLite's code by both drivers' names for it. */
export interface WorkerFailure {
  readonly message: string
  readonly code: string | undefined
}

/** What a worker is started with. */
export interface WorkerStart {
  readonly driver: 'better-sqlite3' | 'node:sqlite'
  readonly path: string
}
