/**
 * `npm run demo`: starts the runner on a SQLite file, lets it check a small real server, and shows what came of it. All of it goes over
 * HTTP, as another program would do it; the runner is a process of its own.
 */
import { existsSync, statSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, styleText } from 'node:util'
import { inspect } from './demo/inspect.ts'
import { ProgressDisplay } from './demo/progress.ts'
import { report, timingsOf } from './demo/report.ts'
import { runDemo } from './demo/run.ts'

const help = `Usage: npm run demo -- [options]
  --kill         kill the runner with SIGKILL in the middle and start it again: nothing is lost, nothing counted twice
  --inspect      print what the file of the last run holds
  --json         print the results as JSON (npm run --silent demo -- --json)
  --file <path>  another file than examples/astro-runner/demo.db`

const { values } = parseArgs({
  options: {
    kill: { type: 'boolean', default: false },
    inspect: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    file: { type: 'string', default: fileURLToPath(new URL('../demo.db', import.meta.url)) },
    help: { type: 'boolean', default: false },
  },
})
const { kill } = values
/** Where npm was called; npm itself runs scripts in the folder of their package. */
const folder = process.env['INIT_CWD'] ?? process.cwd()
const file = resolve(folder, values.file)
const shownFile = relative(folder, file)

if (values.help) console.log(help)
else if (values.inspect) await printInspection()
else if (values.json) await printJson()
else await printDemo()

async function printDemo(): Promise<void> {
  const heading = (text: string) => console.log(`\n${styleText('bold', text)}\n`)
  heading('astro-runner: an HTTP test runner on Holdfast, with one SQLite file and nothing else to install')
  const { execution, results } = await runDemo({ file, kill, display: new ProgressDisplay(process.stdout) })

  heading(`Report: ${results.length} checks in ${(seconds(execution)).toFixed(1)} s`)
  console.log(report(results))
  if (kill)
    console.log(
      `\n  ${execution.total} checks, ${results.length} results: none lost, none twice, in spite of the kill.`,
    )

  heading('Look at it')
  console.log(
    `  ${shownFile} (${Math.round(statSync(file).size / 1024)} KB) holds the plan, the execution, its results and its jobs.`,
  )
  console.log('  npm run demo -- --inspect    prints what it holds')
  if (!kill) console.log('  npm run demo -- --kill       does all this again and kills the runner in the middle')
  console.log('  examples/astro-runner/src    is the program: begin with schema.ts, executions.ts and worker.ts\n')
}

async function printJson(): Promise<void> {
  const { execution, results } = await runDemo({ file, kill })
  console.log(JSON.stringify({ file: shownFile, execution, timings: timingsOf(results), results }, null, 2))
}

async function printInspection(): Promise<void> {
  if (existsSync(file)) console.log(`\n${await inspect(`sqlite:${file}`)}\n`)
  else {
    console.error(`There is no ${shownFile} yet: npm run demo makes it.`)
    process.exitCode = 1
  }
}

function seconds({
  startedAt,
  finishedAt,
}: {
  readonly startedAt: string | null
  readonly finishedAt: string | null
}): number {
  return (Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '')) / 1000
}
