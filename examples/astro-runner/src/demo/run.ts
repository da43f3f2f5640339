/** The run of the demo: a server to check, the runner, a plan, and its results. */
import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { ExecutionProgress } from '../executions.ts'
import type { Result } from '../schema.ts'
import * as client from './client.ts'
import type { ProgressDisplay } from './progress.ts'
import { type RunnerProcess, startRunnerProcess } from './runner-process.ts'
import { shopPlan } from './shop-plan.ts'
import { startShopServer } from './shop-server.ts'

const WORKERS = 6
const LEASE_MS = 30_000
/** What a killed process had is taken over when its lease ends, and nobody wants to watch that for long. */
const SHORT_LEASE_MS = 1_000
const POLL_MS = 80

/** Where and how the demo runs. */
export interface DemoOptions {
  /** Where the data goes; a file of an earlier run is replaced. */
  readonly file: string
  /** Kills the runner once a third is done, and starts it again. */
  readonly kill: boolean
  /** Shown live unless left out. */
  readonly display?: ProgressDisplay | undefined
}

/** What came of it. */
export interface DemoRun {
  readonly execution: client.OverHttp<ExecutionProgress>
  readonly results: client.OverHttp<Result>[]
}

/** Runs the demo and ends all that it started. */
export async function runDemo({ file, kill, display }: DemoOptions): Promise<DemoRun> {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
  const target = `sqlite:${file}`
  const shop = await startShopServer()
  const start = () => startRunnerProcess(target, { workers: WORKERS, leaseMs: kill ? SHORT_LEASE_MS : LEASE_MS })
  let runner = await start()
  try {
    display?.say(`  The server to check listens at ${shop.url}, the runner at ${runner.url}.`)
    const plan = await client.storePlan(runner.url, shopPlan(shop.url))
    display?.say(`  POST /plan             stored the plan "${plan.name}" with ${plan.checks.length} checks`)
    const { id, total } = await client.startPlan(runner.url, plan.id)
    display?.say(`  POST /plan/:id/start   one transaction: 1 execution and ${total} jobs\n`)
    if (kill) {
      await finished(runner, id, display, Math.floor(total / 3))
      await runner.kill()
      display?.say('  The runner was killed with SIGKILL in the middle of its work. Starting it again …')
      runner = await start()
      display?.say('  It is back. What was under way then comes back when the lease of the dead process ends.')
    }
    const execution = await finished(runner, id, display, total)
    display?.end()
    return { execution, results: await client.readResults(runner.url, id) }
  } finally {
    await runner.stop()
    await shop.close()
  }
}

/** Shows progress until so many checks are done. */
async function finished(
  { url }: RunnerProcess,
  id: string,
  display: ProgressDisplay | undefined,
  enough: number,
): Promise<client.OverHttp<ExecutionProgress>> {
  for (;;) {
    const execution = await client.readExecution(url, id)
    display?.show(execution)
    if (execution.passed + execution.failed >= enough) return execution
    await pause(POLL_MS)
  }
}
