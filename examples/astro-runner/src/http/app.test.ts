import { openStorage } from 'holdfast'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FreshTarget, testBackends } from '../../../../test/targets.ts'
import { type RunnerStorage, schema } from '../schema.ts'
import { createApp } from './app.ts'
import type { App } from './typebox.ts'

describe.each(testBackends)('the HTTP API on $name', ({ fresh }) => {
  let database: FreshTarget
  let storage: RunnerStorage
  let app: App

  beforeEach(async () => {
    database = await fresh()
    storage = await openStorage(database.target, { schema })
    app = createApp(storage)
  })

  afterEach(async () => {
    await app.close()
    await storage.close()
    await database.drop()
  })

  const get = async (url: string) => (await app.inject(url)).json()
  const post = (url: string, payload?: object | string) =>
    app.inject({ method: 'POST', url, ...(payload !== undefined && { payload }) })
  const planOf = (checks: number) => ({
    name: 'a plan',
    target: 'http://127.0.0.1:1',
    checks: Array.from({ length: checks }, (_, index) => ({ name: `check ${index}`, path: '/' })),
  })

  it('stores a plan with its defaults, and gives it back', async () => {
    const stored = await post('/plan', planOf(1))
    expect([stored.statusCode, stored.headers.location]).toEqual([201, `/plan/${stored.json().id}`])
    const plan = await get(`/plan/${stored.json().id}`)
    expect(plan).toEqual(stored.json())
    expect(plan).toMatchObject({
      name: 'a plan',
      version: 1,
      checks: [{ name: 'check 0', method: 'GET', timeoutMs: 5_000, retries: 0, expect: { status: 200 } }],
    })
  })

  const bad: [string, object | string, string[]][] = [
    ['lacks its fields', {}, ['name', 'target', 'checks']],
    ['has no checks', { ...planOf(0) }, ['checks']],
    ['has a field nobody knows', { ...planOf(1), colour: 'red' }, ['colour']],
    ['has a target that is not an address', { ...planOf(1), target: 'ftp://x' }, ['target']],
    ['has a number as its name', { ...planOf(1), name: 5 }, ['name']],
    ['has a name no database can hold', { ...planOf(1), name: 'a\0b' }, ['name']],
    [
      'has checks that are wrong',
      {
        ...planOf(1),
        checks: [
          { name: 'a', path: 'b', retries: -1 },
          { name: 'c', path: '/', method: 'FETCH', expect: { status: '200' } },
        ],
      },
      ['checks.0.path', 'checks.0.retries', 'checks.1.method', 'checks.1.expect.status'],
    ],
    ['is no object', '[]', ['']],
  ]
  it.each(bad)('refuses a plan that %s with 400, names each field, and stores nothing', async (_, payload, paths) => {
    const options = { method: 'POST', url: '/plan', headers: { 'content-type': 'application/json' }, payload } as const
    const refused = await app.inject(options)
    const { code, issues } = refused.json()
    expect([refused.statusCode, code]).toEqual([400, 'VALIDATION'])
    expect(issues.map(({ path }: { path: string }) => path).sort()).toEqual(paths.sort())
    expect(await storage.repository('plans').count()).toBe(0)
  })

  it('refuses a body that is not JSON, or nests too deep to be stored, and stores nothing', async () => {
    const headers = { 'content-type': 'application/json' }
    const nested = `${'['.repeat(1_000)}${']'.repeat(1_000)}`
    const deep = JSON.stringify({ ...planOf(1), checks: [{ name: 'a', path: '/', body: 'BODY' }] })
    for (const payload of ['{"name', deep.replace('"BODY"', nested)]) {
      expect((await app.inject({ method: 'POST', url: '/plan', headers, payload })).statusCode).toBe(400)
    }
    expect(await storage.repository('plans').count()).toBe(0)
  })

  it('answers 404 for what is not there', async () => {
    for (const url of ['/plan/x', '/execution/x', '/execution/x/results', '/nowhere']) {
      const answer = await app.inject(url)
      expect([url, answer.statusCode, answer.json().code]).toEqual([url, 404, 'NOT_FOUND'])
    }
    expect((await post('/plan/x/start')).statusCode).toBe(404)
    expect(await storage.repository('executions').count()).toBe(0)
  })

  it('starts a plan: one execution, and a job for each check', async () => {
    const { id } = (await post('/plan', planOf(3))).json()
    const started = await post(`/plan/${id}/start`)
    const execution = await get(`/execution/${started.json().id}`)
    expect([started.statusCode, started.headers.location]).toEqual([202, `/execution/${execution.id}`])
    expect(execution).toMatchObject({ planId: id, state: 'running', total: 3, passed: 0, failed: 0, finishedAt: null })
    expect((await get('/health')).jobs).toMatchObject({ waiting: 3, active: 0, completed: 0 })
  })

  it('pages plans and executions without skipping or repeating one, the latest execution first', async () => {
    const ids: string[] = []
    for (let index = 0; index < 5; index++) ids.push((await post('/plan', planOf(1))).json().id)
    const executions: string[] = []
    for (const id of [ids[0], ids[1], ids[0], ids[0]]) executions.push((await post(`/plan/${id}/start`)).json().id)

    expect(await allPages('/plan?first=2')).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)])
    const [first, second, third, fourth] = executions
    expect(await allPages('/execution?first=3')).toEqual([[fourth, third, second], [first]])
    expect(await allPages(`/execution?first=2&planId=${ids[0]}`)).toEqual([[fourth, third], [first]])
  })

  it('pages results in the order of the plan, of one outcome where asked', async () => {
    const { id: planId } = (await post('/plan', planOf(5))).json()
    const { id } = (await post(`/plan/${planId}/start`)).json()
    await storage.repository('results').createMany(
      [4, 1, 3, 0, 2].map((position) => ({
        executionId: id,
        position,
        name: `check ${position}`,
        outcome: position % 2 === 0 ? ('passed' as const) : ('failed' as const),
        durationMs: 1.5,
        attempts: [],
      })),
    )
    const positions = (page: { position: number }[]) => page.map(({ position }) => position)
    expect((await pagesOf(`/execution/${id}/results?first=2`)).map(positions)).toEqual([[0, 1], [2, 3], [4]])
    expect((await pagesOf(`/execution/${id}/results?first=2&outcome=failed`)).map(positions)).toEqual([[1, 3]])
    expect(await get(`/execution/${id}`)).toMatchObject({ state: 'failed', passed: 3, failed: 2 })
  })

  it('refuses a page that cannot be, and names what is wrong with it', async () => {
    const wrong = { 'first=0': 'first', 'first=many': 'first', 'after=nonsense': 'after', 'colour=red': 'colour' }
    for (const [query, path] of Object.entries(wrong)) {
      const answer = await app.inject(`/plan?${query}`)
      expect([answer.statusCode, answer.json().issues?.map((issue: { path: string }) => issue.path)]).toEqual([
        400,
        [path],
      ])
    }
  })

  it('says whether the storage is well', async () => {
    expect(await get('/health')).toMatchObject({ ok: true, jobs: { waiting: 0 } })
    await storage.close()
    expect((await app.inject('/health')).statusCode).toBe(503)
    const failed = await app.inject('/plan')
    expect([failed.statusCode, failed.json().message]).toEqual([503, 'The storage cannot answer now.'])
  })

  async function pagesOf(url: string): Promise<{ id: string; position: number }[][]> {
    const pages = []
    for (let after = ''; ; ) {
      const { items, next } = await get(url + after)
      pages.push(items)
      if (next === null) return pages
      after = `&after=${next}`
    }
  }

  async function allPages(url: string): Promise<string[][]> {
    return (await pagesOf(url)).map((page) => page.map(({ id }) => id))
  }
})
