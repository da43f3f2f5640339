import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type FreshTarget, testBackends } from '../../../test/targets.ts'
import { CitySources } from './demo/city-sources.ts'
import { type Server, startServer } from './server.ts'

const run = promisify(execFile)
const holdfastSources = new URL('../../../test/sources.ts', import.meta.url).href

describe.each(testBackends)('the server on $name', ({ fresh }) => {
  let database: FreshTarget
  let listed: CitySources
  let server: Server

  beforeEach(async () => {
    database = await fresh()
    listed = await CitySources.start()
    server = await startServer({ storage: database.target, sources: listed.url })
  })

  afterEach(async () => {
    await server.close()
    await listed[Symbol.asyncDispose]()
    await database.drop()
  })

  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of an answer is its type.
  async function get(path: string): Promise<{ status: number; body: any }> {
    const response = await fetch(server.url + path)
    return { status: response.status, body: await response.json() }
  }

  it('ingests and builds by jobs, and answers what is on, where, with whom, and how it hangs together', async () => {
    expect((await fetch(`${server.url}/ingest`, { method: 'POST' })).status).toBe(202)
    await vi.waitFor(async () => expect((await get('/artists')).body).toHaveLength(5), { timeout: 20_000 })

    const events = (await get('/events?from=2027-05-01T00:00:00Z&limit=1')).body
    expect(events).toMatchObject([{ label: 'event', data: { title: 'Open Air' } }])
    expect((await get(`/events/${events[0].id}`)).body).toMatchObject({
      venue: { data: { name: 'Pier One' } },
      artists: [{ id: 'artist:ada-moon' }, { id: 'artist:oslo-brass' }],
    })
    const page = (await get('/venues/venue:blue-hall/events?first=2')).body
    const rest = (await get(`/venues/venue:blue-hall/events?first=2&after=${page.next}`)).body
    expect([page.items.length, rest.items.length, rest.next]).toEqual([2, 1, null])
    expect((await get('/artists/artist:nils/circle')).body).toMatchObject([
      { id: 'artist:ada-moon', stages: 1 },
      { id: 'artist:oslo-brass', stages: 2 },
    ])
    expect((await get('/path?from=artist:nils&to=venue:crane-stage')).body).toMatchObject({ cost: 6 })

    const runs = (await get('/runs')).body
    expect(runs.length).toBeGreaterThan(0)
    expect((await get(`/runs/${runs.at(-1).id}/records?first=1`)).body.items).toMatchObject([
      { label: 'carpenter_record' },
    ])
  })

  it('says what is missing or wrong', async () => {
    expect(await get('/venues/venue:nowhere/events')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } })
    expect((await get('/path?from=a&to=b')).status).toBe(404)
    expect((await get('/events?limit=0')).status).toBe(400)
    expect((await get('/runs/x/records?after=x')).body).toMatchObject({
      code: 'VALIDATION',
      issues: [{ path: 'after' }],
    })
    expect((await get('/health')).body).toMatchObject({ ok: true })
  })
})

describe('the programs', () => {
  function node(program: string, ...options: string[]): Promise<{ stdout: string; stderr: string }> {
    const { FORCE_COLOR: _, ...env } = process.env
    const path = fileURLToPath(new URL(program, import.meta.url))
    return run(process.execPath, [path, ...options], { env: { ...env, NODE_OPTIONS: `--import ${holdfastSources}` } })
  }

  it('shows in a demo what the carpenter did', async () => {
    const { stdout, stderr } = await node('demo.ts')
    expect(stderr).toBe('')
    expect(stdout).toContain('built 7, refused 0')
    expect(stdout).toContain('removed  event:pier-one:2027-05-01T18:30')
    expect(stdout).toContain('built 1, refused 2')
  })

  it('says what is wrong with its options, and ends with 1', async () => {
    for (const [options, reason] of [
      [[], '--sources must say'],
      [['--sources', 'http://127.0.0.1:1', '--storage', 'nowhere:'], 'names no backend'],
    ] as const) {
      const failed = await node('main.ts', '--port', '0', ...options).catch((error) => error)
      expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining(reason)])
    }
  })
})
