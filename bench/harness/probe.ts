import { fork } from 'node:child_process'
import { once } from 'node:events'

/**
 * Calls an exported function of a module in a new process, which has done nothing else, and gives what it gives.
 *
 * @param module as `import.meta.url` has it.
 */
export async function probe<T>(
  module: string,
  name: string,
  args: readonly unknown[],
  nodeOptions: readonly string[] = [],
): Promise<T> {
  const child = fork(new URL('./probe-process.ts', import.meta.url), [], {
    execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning', ...nodeOptions],
  })
  child.send({ module, name, args })
  const answer = Promise.race([once(child, 'message'), once(child, 'exit').then(() => [{ reason: 'it ended' }])])
  const [reply] = (await answer) as [{ readonly value?: T; readonly reason?: string }]
  if (child.exitCode === null && child.connected) child.disconnect()
  if (reply.reason !== undefined) throw new Error(`${name} failed: ${reply.reason}`)
  return reply.value as T
}
