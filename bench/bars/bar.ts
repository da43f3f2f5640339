import type { Databases } from '../harness/databases.ts'

/** One thing that Holdfast must reach beside the ratios. */
export interface Bar {
  /** What `--only` looks for. */
  readonly name: string
  readonly title: string
  /** What it must reach, in words. */
  readonly limit: string
  measure(context: BarContext): Promise<Outcome>
}

/** What bars measure with. */
export interface BarContext {
  readonly databases: Databases
  readonly nodeOptions: readonly string[]
}

/** What was measured. */
export interface Outcome {
  readonly pass: boolean
  readonly measured: string
  /** More about it, for the reader who asks why. */
  readonly detail?: string
}
