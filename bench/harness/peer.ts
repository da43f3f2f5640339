import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Target } from '../peers/store.ts'
import type { Workload } from '../workloads.ts'
import type { Reply, Request } from './messages.ts'

const PROGRAM = new URL('./peer-process.ts', import.meta.url)

/** A peer at work in a process of its own. */
export class Peer {
  readonly name: string
  readonly #process: ChildProcess
  readonly #exited: Promise<unknown>

  constructor(name: string, process: ChildProcess) {
    this.name = name
    this.#process = process
    this.#exited = once(process, 'exit')
  }

  /** Starts the process; the peer is open, filled and checked when this resolves. */
  static async start(name: string, workload: Workload, target: Target, nodeOptions: readonly string[]): Promise<Peer> {
    const child = fork(PROGRAM, [], {
      execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning', ...nodeOptions],
    })
    const peer = new Peer(name, child)
    await peer.#ask({ kind: 'open', workload: workload.name, peer: name, target })
    return peer
  }

  /** Removes what was inserted since the start. */
  async reset(): Promise<void> {
    await this.#ask({ kind: 'reset' })
  }

  /** Times the operation for about `wantedMs`; gives milliseconds an operation. */
  async time(wantedMs: number): Promise<number> {
    const reply = await this.#ask({ kind: 'time', wantedMs })
    if (reply.kind !== 'timed') throw new Error(`${this.name} answered ${reply.kind}`)
    return reply.timing.elapsedMs / reply.timing.operations
  }

  /** Closes the store and waits for the process to end. */
  async stop(): Promise<void> {
    this.#process.send({ kind: 'close' } satisfies Request)
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 5_000)
    await this.#exited
    clearTimeout(timer)
  }

  async #ask(request: Request): Promise<Reply> {
    const reply = new Promise<Reply>((resolve) => this.#process.once('message', (message) => resolve(message as Reply)))
    this.#process.send(request)
    const died = this.#exited.then((): Reply => ({ kind: 'failed', reason: `the process of ${this.name} ended` }))
    const answer = await Promise.race([reply, died])
    if (answer.kind === 'failed') {
      this.#process.kill()
      throw new Error(answer.reason)
    }
    return answer
  }
}
