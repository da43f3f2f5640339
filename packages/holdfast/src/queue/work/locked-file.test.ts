import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, expect, it } from 'vitest'
import { crashSchema } from '../../../../../test/crash/schema.ts'
import { sqlite } from '../../backends/sqlite/index.ts'
import { openStorage } from '../../index.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-locked-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('a transaction that cannot begin fails the attempt, and ends neither the worker nor the process', async () => {
  const path = join(folder, 'jobs.db')
  const storage = await openStorage(sqlite({ path, busyTimeoutMs: 50 }), { schema: crashSchema })
  const other = new Database(path)
  const work = storage.queue('work')
  await storage.repository('counters').create({ id: 'done' })
  const worker = work.work(
    async ({ attempt }, { tx }) => {
      if (attempt === 1) {
        other.exec('begin immediate')
        const locked = tx.repository('counters').count()
        tx.afterCommit(() => expect.unreachable())
        await locked.finally(() => other.exec('rollback'))
      }
      return (await tx.repository('counters').count()) + attempt
    },
    { pollMs: 50 },
  )
  const job = await work.enqueue({ id: '1' }, { backoff: { kind: 'fixed', firstMs: 1 } })
  const { result, errors } = await work.waitFor(job)
  expect(result).toBe(3)
  expect(errors).toMatchObject([{ attempt: 1, message: expect.stringContaining('another process') }])
  await worker.stop()
  await storage.close()
  other.close()
})
