/** The process of one peer and one workload: libraries disturb each other's memory and compiled code, so each has its own. */
import { newItem, SEEDED } from '../items.ts'
import type { ItemStore, PeerModule } from '../peers/store.ts'
import { workloads } from '../workloads.ts'
import type { Reply, Request } from './messages.ts'
import { Stopwatch } from './timing.ts'

interface Running {
  readonly store: ItemStore
  readonly stopwatch: Stopwatch
}

let running: Running | undefined

async function open({ workload: name, peer, target }: Extract<Request, { kind: 'open' }>): Promise<Running> {
  const workload = workloads.find((candidate) => candidate.name === name)
  if (workload === undefined) throw new Error(`no workload is called ${name}`)
  const { database, task, callers } = workload
  const module = (await import(`../peers/${database}/${peer}.ts`)) as PeerModule
  const store = await module.open(target)
  await store.insertMany(Array.from({ length: SEEDED }, (_, index) => newItem(index + 1)))
  await task.check(store)
  return { store, stopwatch: new Stopwatch(task.start(store), callers) }
}

async function answer(request: Request): Promise<Reply> {
  if (request.kind === 'open') {
    running = await open(request)
    return { kind: 'done' }
  }
  const { store, stopwatch } = running as Running
  switch (request.kind) {
    case 'reset':
      await store.removeAbove(SEEDED)
      return { kind: 'done' }
    case 'time':
      globalThis.gc?.()
      return { kind: 'timed', timing: await stopwatch.time(request.wantedMs) }
    case 'close':
      await store.close()
      process.disconnect()
      return { kind: 'done' }
  }
}

process.on('message', (request: Request) => {
  answer(request).then(send, (error: unknown) =>
    send({ kind: 'failed', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
})

function send(reply: Reply): void {
  if (process.connected) process.send?.(reply)
}
