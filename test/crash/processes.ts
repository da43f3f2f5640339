import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { onTestFinished } from 'vitest'
import { programPath } from '../program-path.ts'

/** A process that a test started: it can be written to and read from, and takes and sends messages. What it says of errors is shown. */
export type StartedProcess = ChildProcess & { readonly stdin: Writable; readonly stdout: Readable }

/**
 * Runs a program of `test/programs` in a process of its own, which is gone when the test is over, however that ends.
 *
 * ```ts
 * const worker = startProcess('worker.ts', target)
 * await once(worker.stdout, 'data')
 * await kill(worker)
 * ```
 */
export function startProcess(program: string, ...given: readonly string[]): StartedProcess {
  const child = fork(programPath(program), given, {
    stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
    // Of the test's own process nothing is passed on; Node's SQLite would say with each start that it is experimental.
    execArgv: ['--disable-warning=ExperimentalWarning'],
  }) as StartedProcess
  onTestFinished(() => kill(child))
  return child
}

/** Whether it has neither ended nor been killed. */
export function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null
}

/** Ends a process without warning, unless it has ended, and waits until it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  if (!isAlive(child)) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
