import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { TestDatabase } from '../../../../test/postgres-database.ts'
import { openStorage } from '../index.ts'

it('what others write while the connection for hints is cut is seen, whatever was lost with it', {
  timeout: 60_000,
}, async () => {
  const database = await TestDatabase.create()
  const { proxy, url } = await database.proxy()
  const here = await openStorage(url, { autoCreate: true })
  const there = await openStorage(database.url.href, { autoCreate: true })
  const options = { memoryTtlMs: 3_600_000 }
  const [mine, theirs] = [here.cache<number>('c', options), there.cache<number>('c', options)]
  for (let n = 1; n <= 4; n++) {
    await theirs.set('a', -n)
    while ((await mine.get('a')) !== -n) await sleep(5)
    // All of its connections, or only the one that listens.
    if (n % 2 === 0) proxy.cutAll()
    else await database.terminate("query ilike 'listen%'")
    await theirs.set('a', n)
    while ((await mine.get('a')) !== n) await sleep(5)
  }
  expect(mine.stats().memoryHits).toBeGreaterThan(0)
  await here.close()
  await there.close()
  await database[Symbol.asyncDispose]()
})
