import type { Output } from './output.ts'

/** What runs the action of a command, and sees to its exit code. */
export type RunCommand = (json: boolean, action: (output: Output) => Promise<number>) => Promise<void>
