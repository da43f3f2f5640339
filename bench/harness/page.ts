import type { Bar, Outcome } from '../bars/bar.ts'
import type { QueueResult } from '../queue/contest.ts'
import { peers, type Workload, workloads } from '../workloads.ts'
import { SERVER_SETTINGS } from './databases.ts'
import type { Effort, Measured } from './rounds.ts'
import { ratioTo, type Spread, spreadOf } from './statistics.ts'

/** A bar and what came of it. */
export interface Judged {
  readonly bar: Bar
  readonly outcome: Outcome
}

/** Everything the page tells. */
export interface Run {
  readonly started: Date
  readonly machine: readonly string[]
  readonly effort: Effort
  readonly measured: readonly Measured[]
  readonly judged: readonly Judged[]
  readonly queues: readonly QueueResult[]
}

const TITLES: Readonly<Record<string, string>> = {
  raw: 'raw',
  'raw-synchronous': 'raw, called synchronously',
  'node-sqlite': 'node:sqlite',
  kysely: 'Kysely',
  drizzle: 'Drizzle',
  typeorm: 'TypeORM',
  'mikro-orm': 'MikroORM',
  holdfast: '**Holdfast**',
}

/** RESULTS.md. */
export function page(run: Run): string {
  return `# Results

Written by \`npm run bench\` on ${run.started.toISOString().slice(0, 10)}.

${run.machine.map((line) => `- ${line}`).join('\n')}

## How to read the tables

A cell is how many times as fast as the raw driver: 1.00 is as fast, 2.00 takes half the time. Below it are the quartiles of
${run.effort.rounds} rounds. Every peer runs in a process of its own; in each round all take their turn for about
${run.effort.roundMs} ms, another one first each time, and a peer is compared with the raw driver of the same round, so that what
else the machine does meets all of them. Before anything is timed each peer is checked to do what is measured.

**Raw** is what one would write by hand: statements prepared once, behind async functions, giving the same content as the others
(on SQLite it decodes booleans and timestamps itself; on Postgres \`pg\` does). It checks no input, knows no schema, wraps no
errors and gathers no calls. **node:sqlite** is the same by hand on Node's own driver. Peers are written as their documentation
recommends for speed: prepared statements in Drizzle, \`insert\` and \`update\` instead of \`save\` in TypeORM, a fork and native
writes in MikroORM. All peers have a pool of 10 connections to Postgres and the same settings of SQLite (WAL; \`relaxed\` is
\`synchronous=normal\`, \`full\` is \`synchronous=full\`). Postgres runs with ${SERVER_SETTINGS.map((setting) => `\`${setting}\``).join(', ')}
and otherwise as it comes, so every commit is synced to the disk. Holdfast's transactions are serializable, those of the others
read committed on Postgres.

## SQLite

${table(run, 'sqlite')}

## Postgres

${table(run, 'postgres')}

## Other bars

| what | must be | measured | | |
|---|---|---|---|---|
${run.judged.map(({ bar, outcome }) => `| ${bar.title} | ${bar.limit} | ${outcome.measured} | ${verdict(outcome.pass)} | ${outcome.detail ?? ''} |`).join('\n')}

## Job queues

Jobs a second; the middle of ${Math.ceil(run.effort.rounds / 2)} rounds, each in a new process on a new database, which first runs half as many jobs so
that its code is compiled. Jobs do nothing. A batch is 1,000 jobs. The workers of Holdfast take 1,000 jobs at once and run 100 side by side, or four
transactions of 1,000 side by side, in the last column without leases (\`leases: false\`), there of 4,000 on Postgres; those of pg-boss take 1,000, four times side by side; graphile-worker is set up as its page on performance says; plainjob takes one after the other and does not repeat failed jobs.
graphile-worker forgets jobs that have completed; the others keep them for a while, as Holdfast does unless it is told to keep none.

| database | queue | \`enqueue\` by 100 callers | added in batches | run under leases | run in transactions of a batch | the same, taken in them |
|---|---|---:|---:|---:|---:|---:|
${run.queues.map(queueRow).join('\n')}

## What one operation is

${[...new Map(workloads.map(({ task, title }) => [task, title]))].map(([task, title]) => `- **${title}**: ${task.describe}`).join('\n')}

An item has eight columns: an id, a group, a name, an e-mail address, a boolean, a number, a timestamp and a version. There are
10,000 of them when a workload starts. With 64 callers, 64 loops run side by side in one process, each awaiting its own
operation before the next.
`
}

function table(run: Run, database: Workload['database']): string {
  const columns = peers[database]
  const heading = `| workload | raw, µs | ${columns
    .slice(1)
    .map((peer) => TITLES[peer])
    .join(' | ')} | must reach | |`
  const rows = run.measured
    .filter(({ workload }) => workload.database === database)
    .map((measured) => row(measured, columns))
  return [heading, `|---${'|---:'.repeat(columns.length + 1)}|---|`, ...rows].join('\n')
}

function row({ workload, times }: Measured, columns: readonly string[]): string {
  const raw = times.get('raw') ?? []
  const cells = columns.slice(1).map((peer) => {
    const own = times.get(peer)
    if (own === undefined) return '–'
    const { median, low, high } = ratioTo(raw, own)
    return `${median.toFixed(2)}<br><sub>${low.toFixed(2)}–${high.toFixed(2)}</sub>`
  })
  const microseconds = significant(spreadOf(raw).median * 1000)
  const reached = ratioTo(raw, times.get('holdfast') ?? []).median >= workload.bar
  return `| ${workload.title} | ${microseconds} | ${cells.join(' | ')} | ${workload.bar.toFixed(2)} | ${verdict(reached)} |`
}

function queueRow({ contender, enqueue, enqueueMany, lease, transaction, unleased }: QueueResult): string {
  const rates = [enqueue, enqueueMany, lease, transaction, unleased].map((rate) =>
    rate === null ? '–' : perSecond(rate),
  )
  return `| ${contender.database} | ${contender.title} | ${rates.join(' | ')} |`
}

function perSecond({ median, low, high }: Spread): string {
  const thousands = (value: number): string => `${(value / 1000).toPrecision(3)} k`
  return `${thousands(median)}<br><sub>${thousands(low)}–${thousands(high)}</sub>`
}

function verdict(pass: boolean): string {
  return pass ? 'pass' : '**FAIL**'
}

function significant(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}
