/** A reason to refuse a call. */
export interface Reason {
  readonly code: string
  /** The fields of the rule that is broken. */
  readonly fields?: readonly string[]
}

/** A call is refused, for one of several reasons: where a write breaks several rules nobody says which is told. */
export class Refusal extends Error {
  readonly reasons: readonly Reason[]

  constructor(...reasons: readonly Reason[]) {
    super(reasons.map(({ code, fields }) => `${code} ${fields ?? ''}`).join(' or '))
    this.reasons = reasons
  }
}
