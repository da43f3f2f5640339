import type { Command } from 'commander'
import type { Output } from './output.ts'

/** Makes a command of `holdfast migrate`, with the options that all of them take. */
export type AddCommand = (name: string, description: string) => Command

/** What runs the action of a command, and sees to its exit code. */
export type RunCommand = (
  options: { readonly json?: boolean },
  action: (output: Output) => Promise<number>,
) => Promise<void>
