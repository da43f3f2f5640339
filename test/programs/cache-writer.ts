import { setTimeout as sleep } from 'node:timers/promises'
import { increment, openStorage } from '../../packages/holdfast/src/index.ts'
import { crashSchema } from '../crash/schema.ts'

/**
 * A process that changes a counter and a cache of it in one transaction, to be killed by `killed-writer.test.ts`. Given a time, it does so once, holds
 * the transaction open for so long, and dies between the commit and the moment when it would tell others; else it goes on until it is killed.
 */
const [target = '', holdMs] = process.argv.slice(2)
const storage = await openStorage(target, { schema: crashSchema })

async function count(turn: number): Promise<void> {
  await storage.transaction(
    async (tx) => {
      // It is called first, as it is named first.
      if (holdMs !== undefined) tx.afterCommit(() => process.kill(process.pid, 'SIGKILL'))
      await tx.repository('counters').updateMany({ id: 'k' }, { n: increment(1) })
      const { n } = await tx.repository('counters').getById('k')
      if (turn % 3 === 0) await tx.cache('counters').delete('k')
      else await tx.cache('counters').set('k', n)
      if (holdMs !== undefined) await sleep(Number(holdMs))
    },
    { retries: 1_000 },
  )
  process.stdout.write('counted\n')
}

for (let turn = 1; ; turn++) await count(turn)
