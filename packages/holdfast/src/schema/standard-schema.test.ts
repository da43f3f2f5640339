import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createTestStorage } from '../testing/index.ts'
import { defineSchema, documents, queue, t, table } from './index.ts'

const libraries = {
  zod: z.object({ name: z.string(), level: z.number() }),
  valibot: v.object({ name: v.string(), level: v.number() }),
  arktype: type({ name: 'string', level: 'number' }),
}

describe.each(Object.entries(libraries))('a schema of %s', (_, content) => {
  it('checks documents, JSON columns and payloads, and names the path', async () => {
    const schema = defineSchema({
      plans: documents({ schema: content }),
      rows: table({ id: t.id(), data: t.json(content) }),
      jobs: queue({ schema: content }),
    })
    await using storage = await createTestStorage({ schema })
    const good = { name: 'a', level: 1 }
    expect(await storage.repository('plans').create(good)).toMatchObject(good)
    expect((await storage.repository('rows').create({ data: good })).data).toEqual(good)
    expect((await storage.queue('jobs').enqueue(good)).data).toEqual(good)
    const bad = { name: 'a', level: 'high' } as never
    await expect(storage.repository('plans').create(bad)).rejects.toMatchObject({ issues: [{ path: 'level' }] })
    await expect(storage.repository('rows').create({ data: bad })).rejects.toMatchObject({
      issues: [{ path: 'data.level' }],
    })
    await expect(storage.queue('jobs').enqueue(bad)).rejects.toMatchObject({ issues: [{ path: 'data.level' }] })
  })
})
