import { parseArgs } from 'node:util'
import type { Effort } from './rounds.ts'

/** What the command line asks for. */
export interface Options {
  /** Whether a part of the run, by its name, is wanted. */
  readonly includes: (name: string) => boolean
  /** Whether a peer is wanted; the raw driver always is. */
  readonly peer: (name: string) => boolean
  readonly effort: Effort
  /** Whether everything runs, so that the results page may be written. */
  readonly complete: boolean
  /** Flags for the processes of the peers, such as --cpu-prof. */
  readonly nodeOptions: readonly string[]
}

/** What `--help` prints. */
export const HELP = `npm run bench -- [options]

  --only <names>    only what has one of these in its name: sqlite, postgres-insert, types, queue, ...
  --peers <names>   only these peers beside the raw driver: holdfast, kysely, drizzle, typeorm, mikro-orm, node-sqlite
  --quick           shorter and fewer rounds: a first impression
  --rounds <n>      rounds of each workload
  --node <flag>     a flag for the processes of the peers, such as --node=--cpu-prof
  --list            the names

RESULTS.md is written by a run without options only.`

const THOROUGH: Effort = { rounds: 11, roundMs: 400, warmUpMs: 1_500 }
const QUICK: Effort = { rounds: 3, roundMs: 150, warmUpMs: 300 }

/** Reads the command line. */
export function readOptions(args: readonly string[]): Options | 'help' | 'list' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      peers: { type: 'string', multiple: true, default: [] },
      node: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  if (values.list) return 'list'
  const only = values.only.flatMap((names) => names.split(','))
  const peers = values.peers.flatMap((names) => names.split(','))
  const usual = values.quick ? QUICK : THOROUGH
  return {
    includes: (name: string) => only.length === 0 || only.some((part) => name.includes(part)),
    peer: (name: string) => name === 'raw' || peers.length === 0 || peers.includes(name),
    effort: values.rounds === undefined ? usual : { ...usual, rounds: Number(values.rounds) },
    complete: args.length === 0,
    nodeOptions: values.node,
  }
}
