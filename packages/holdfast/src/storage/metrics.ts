/** What a storage has done since it was opened. */
export interface StorageMetrics {
  /** Statements given to the backend, outside and inside transactions. */
  readonly statements: number
  /** Statements that failed. */
  readonly failures: number
  readonly transactions: {
    readonly committed: number
    readonly rolledBack: number
    /** Attempts made again after a conflict. */
    readonly retried: number
  }
}

/** Counts as things happen. */
export class Counters {
  statements = 0
  failures = 0
  committed = 0
  rolledBack = 0
  retried = 0

  /** What was counted so far. */
  read(): StorageMetrics {
    const { statements, failures, committed, rolledBack, retried } = this
    return { statements, failures, transactions: { committed, rolledBack, retried } }
  }
}
