import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineSchema, discard, queue, snooze, t, table } from '../index.ts'
import { expectEnqueued, expectNotEnqueued, runJob } from './jobs.ts'
import { createTestStorage } from './test-storage.ts'

const schema = defineSchema({
  sent: table({ to: t.text().primaryKey() }),
  mail: queue<{ to: string; parts: { kind: string; lines: number[] } }>(),
  resize: queue({ schema: z.object({ width: z.number() }), resultSchema: z.object({ bytes: z.number() }) }),
})
const parts = { kind: 'text', lines: [1, 2] }

describe('expecting jobs', () => {
  it('gives the job that fits, as far as it is described', async () => {
    await using storage = await createTestStorage({ schema })
    const mail = storage.queue('mail')
    await mail.enqueue({ to: 'lee', parts })
    const kim = await mail.enqueue({ to: 'kim', parts }, { priority: 5, delayMs: 60_000, group: 'g' })
    const found = await expectEnqueued(mail, { data: { to: 'kim', parts: { lines: [1, 2] } }, state: 'scheduled' })
    expect(found.id).toBe(kim.id)
    await expectEnqueued(mail, { runAt: (time) => time > new Date(), group: 'g', priority: 5 })
    await expectEnqueued(mail)
    await expectNotEnqueued(mail, { state: 'blocked' })
    await expectNotEnqueued(mail, { state: 'scheduled', priority: 4 })
    await expectEnqueued(mail, { state: 'waiting', waitsFor: 'time' })
    await expectNotEnqueued(mail, { data: { parts: { lines: [1] } } })
    await expectNotEnqueued(mail, { data: { to: 'max' } })
    await expectNotEnqueued(mail, { data: { to: (name) => name.length > 3 } })
  })

  it('lists what there is when none fits, or one that should not', async () => {
    await using storage = await createTestStorage({ schema })
    const mail = storage.queue('mail')
    await expectNotEnqueued(mail)
    await expect(expectEnqueued(mail)).rejects.toThrow('No job of mail was enqueued; there are none.')
    await mail.enqueue({ to: 'kim', parts }, { key: 'k' })
    await expect(expectEnqueued(mail, { data: { to: 'lee' } })).rejects.toThrow(
      /^No such job of mail was enqueued; there is:\n {2}waiting \{"to":"kim".*\} \{"key":"k"\}$/,
    )
    await expect(expectNotEnqueued(mail, { key: 'k' })).rejects.toThrow(/should not be: there is:\n {2}waiting/)
    await mail.drain(() => undefined)
    await expectNotEnqueued(mail)
  })

  it('sees what a transaction has enqueued', async () => {
    await using storage = await createTestStorage({ schema })
    await storage.transaction(async (tx) => {
      await tx.queue('mail').enqueue({ to: 'kim', parts })
      await expectEnqueued(tx.queue('mail'), { data: { to: 'kim' } })
    })
  })
})

describe('running a job', () => {
  it('gives what came of it, with what it wrote', async () => {
    await using storage = await createTestStorage({ schema })
    const { state } = await runJob(
      storage.queue('mail'),
      async ({ data }, { tx }) => tx.repository('sent').create({ to: data.to }),
      { to: 'kim', parts },
    )
    expect([state, await storage.repository('sent').exists('kim')]).toEqual(['completed', true])
    const resized = await runJob(storage.queue('resize'), ({ data }) => ({ bytes: data.width * 2 }), { width: 4 })
    expect(resized.result?.bytes).toBe(8)
    const later = await runJob(storage.queue('resize'), () => snooze(1_000), { width: 4 })
    expect(later.waitsFor).toBe('time')
  })

  it('throws what went wrong, whether or not it would be tried again', async () => {
    await using storage = await createTestStorage({ schema })
    const resize = storage.queue('resize')
    const failed = runJob(resize, () => ({ bytes: 'many' }) as never, { width: 4 })
    await expect(failed).rejects.toMatchObject({
      message: expect.stringMatching(/^The job of resize failed: The result .* was refused/),
      cause: { code: 'VALIDATION' },
    })
    const given = runJob(resize, () => discard('no such picture'), { width: 4 })
    await expect(given).rejects.toThrow('The job of resize failed: no such picture')
  })
})
