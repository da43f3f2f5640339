/** `npm run bench`: measures, prints, and writes RESULTS.md after a complete run. */
import { writeFile } from 'node:fs/promises'
import { bars } from './bars/index.ts'
import { Databases } from './harness/databases.ts'
import { machine } from './harness/machine.ts'
import { HELP, type Options, readOptions } from './harness/options.ts'
import { type Judged, page } from './harness/page.ts'
import { type Measured, measure } from './harness/rounds.ts'
import { barLine, failureLines, measuredLines, queueLine } from './harness/screen.ts'
import { contenders, contest, type QueueResult } from './queue/contest.ts'
import { workloads } from './workloads.ts'

async function measureAll(options: Options, databases: Databases): Promise<Measured[]> {
  const all: Measured[] = []
  for (const workload of workloads) {
    if (!options.includes(workload.name)) continue
    const measured = await measure(workload, options.peer, options.effort, databases, options.nodeOptions)
    console.log([...measuredLines(measured), ...failureLines(measured)].join('\n'))
    all.push(measured)
  }
  return all
}

async function judgeAll(options: Options, databases: Databases): Promise<Judged[]> {
  const all: Judged[] = []
  for (const bar of bars) {
    if (!options.includes(bar.name)) continue
    const outcome = await bar.measure({ databases, nodeOptions: options.nodeOptions })
    console.log(barLine({ bar, outcome }))
    all.push({ bar, outcome })
  }
  return all
}

async function contestAll(options: Options, databases: Databases): Promise<QueueResult[]> {
  const wanted = contenders.filter(({ name, peer }) => options.includes(name) && options.peer(peer))
  const results = await contest(wanted, Math.ceil(options.effort.rounds / 2), options.effort.roundMs * 2, databases)
  for (const result of results) console.log(queueLine(result))
  return results
}

const options = readOptions(process.argv.slice(2))
if (options === 'help') console.log(HELP)
else if (options === 'list') console.log([...workloads, ...bars, ...contenders].map(({ name }) => name).join('\n'))
else {
  await using databases = new Databases()
  const started = new Date()
  const measured = await measureAll(options, databases)
  const judged = await judgeAll(options, databases)
  const queues = await contestAll(options, databases)
  if (options.complete) {
    const text = page({ started, machine: await machine(databases), effort: options.effort, measured, judged, queues })
    await writeFile(new URL('./RESULTS.md', import.meta.url), text)
    console.log('\nbench/RESULTS.md is written.')
  }
}
