/** The runner as a process of its own, so that it can be killed like one. */
import { fork } from 'node:child_process'
import { once } from 'node:events'

/** A runner that listens. */
export interface RunnerProcess {
  readonly url: string
  /** Lets it finish what it does. */
  stop(): Promise<void>
  /** Ends it with SIGKILL: it can do nothing about it. */
  kill(): Promise<void>
}

/** Starts `main.ts` and waits until it listens. It ends when this process does. */
export async function startRunnerProcess(
  storage: string,
  options: { readonly workers: number; readonly leaseMs: number },
): Promise<RunnerProcess> {
  const { workers, leaseMs } = options
  const child = fork(
    new URL('../main.ts', import.meta.url),
    ['--storage', storage, '--port', '0', '--workers', `${workers}`, '--lease-ms', `${leaseMs}`],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  )
  const exited = once(child, 'exit')
  const failed = new AbortController()
  child.once('exit', (code) => failed.abort(new Error(`The runner ended with code ${code} before it listened.`)))
  const [{ url }] = (await once(child, 'message', { signal: failed.signal })) as [{ url: string }]
  return {
    url,
    async stop() {
      if (child.connected) child.disconnect()
      await exited
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
