import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { defineSchema, queue } from '../../schema/index.ts'
import { openStorage } from '../../storage/index.ts'

async function jobs(count: number) {
  const storage = await openStorage('memory:', { schema: defineSchema({ work: queue<number>() }) })
  onTestFinished(() => storage.close())
  const work = storage.queue('work')
  await work.enqueueMany(Array.from({ length: count }, (_, data) => ({ data })))
  return work
}

it('takes as many jobs ahead as its handlers begin with soon, and leaves the others to others', async () => {
  const work = await jobs(300)
  const most = { active: 0 }
  const { promise: enough, resolve } = Promise.withResolvers<void>()
  const handler = async ({ data }: { data: number }) => {
    await sleep(15)
    if (data < 10) return
    most.active = Math.max(most.active, (await work.stats()).active)
    if (data > 60) resolve()
  }
  work.work(handler, { concurrency: 2, batch: 100 })
  await enough
  expect(most.active).toBeGreaterThan(1)
  expect(most.active).toBeLessThan(20)
})

it('hands back what it has taken ahead when its handlers have become slow', async () => {
  const work = await jobs(300)
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const { promise: slow, resolve: isSlow } = Promise.withResolvers<void>()
  const handler = async ({ data }: { data: number }) => {
    if (data < 20) return
    if (data === 20) {
      await sleep(400)
      return
    }
    isSlow()
    await over
  }
  work.work(handler, { concurrency: 1, batch: 100, pollMs: 40 })
  await slow
  while ((await work.stats()).active > 3) await sleep(10)
  resolve()
})
