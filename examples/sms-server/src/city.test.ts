import { openStorage } from 'holdfast'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FreshTarget, testBackends } from '../../../test/targets.ts'
import { build } from './carpenter.ts'
import { CitySources } from './demo/city-sources.ts'
import { ingest } from './ingest.ts'
import { type Change, type CityStorage, schema } from './schema.ts'
import { sources } from './sources/index.ts'

describe.each(testBackends)('the city on $name', ({ fresh }) => {
  let database: FreshTarget
  let storage: CityStorage
  let listed: CitySources

  beforeEach(async () => {
    database = await fresh()
    storage = await openStorage(database.target, { schema })
    listed = await CitySources.start()
  })

  afterEach(async () => {
    await storage.close()
    await listed[Symbol.asyncDispose]()
    await database.drop()
  })

  async function ingestAll(): Promise<number[]> {
    const stored: number[] = []
    for (const source of sources.values()) stored.push((await ingest(storage, source, listed.url)).stored)
    return stored
  }

  async function recordsOf(runId: string): Promise<Change[]> {
    const options = { relation: 'has_record', label: 'carpenter_record' } as const
    return (await storage.graph('city').neighbors(runId, options)).items.map(({ data }) => data)
  }

  /** Ingests and builds, and gives what was done: `added venue:blue-hall`. */
  async function buildAll(): Promise<string[]> {
    await ingestAll()
    const { id } = await build(storage)
    return (await recordsOf(id)).map(({ action, subject, detail }) =>
      action.endsWith('linked') ? `${action} ${detail} ${subject}` : `${action} ${subject}`,
    )
  }

  const ids = (nodes: readonly { readonly id: string }[]) => nodes.map(({ id }) => id)

  it('is built of what all sources list; what two of them list is one', async () => {
    await buildAll()
    const city = storage.graph('city')
    expect(ids(await city.nodes('venue'))).toEqual([
      'venue:blue-hall',
      'venue:cafe-zoe',
      'venue:crane-stage',
      'venue:pier-one',
    ])
    expect((await city.getNode('venue:blue-hall'))?.data).toEqual({ name: 'Blue Hall', address: '1 Blue Street' })
    expect(ids(await city.nodes('artist'))).toEqual([
      'artist:ada-moon',
      'artist:kim-lee',
      'artist:nils',
      'artist:oslo-brass',
      'artist:the-lanterns',
    ])
    expect(await city.nodes('event')).toHaveLength(6)
    const night = await city.getNode('event:blue-hall:2027-04-02T18:00')
    expect(night?.data).toEqual({ title: 'Spring Night', startsAt: '2027-04-02T18:00:00.000Z' })
    const stage = await city.neighbors(night?.id as string, { relation: 'performs_at', direction: 'in' })
    expect(ids(stage.items)).toEqual(['artist:kim-lee', 'artist:the-lanterns'])
    const moon = await city.neighbors('artist:ada-moon', { relation: 'performs_at', first: 2 })
    expect([moon.items.length, moon.next]).toEqual([2, expect.any(String)])
  })

  it('puts each run on record, and each change once; a run that finds nothing new has none', async () => {
    const first = await buildAll()
    expect(first).toContain('added venue:blue-hall')
    expect(first).toContain('linked hosts venue:pier-one event:pier-one:2027-05-01T18:30')
    expect(new Set(first).size).toBe(first.length)
    const nodes = 4 + 5 + 6
    expect([first.filter((change) => change.startsWith('added')).length, first.length - nodes]).toEqual([nodes, 6 + 9])
    expect(await ingestAll()).toEqual([0, 0, 0])
    expect(await buildAll()).toEqual([])
    const runs = await storage.graph('city').nodes('carpenter_run')
    expect(runs.map(({ data }) => data)).toEqual([
      { state: 'finished', built: 7, refused: 0 },
      { state: 'finished', built: 0, refused: 0 },
    ])
  })

  it('follows what the sources change: an event that moves, an artist who comes instead, one that is called off', async () => {
    await buildAll()
    listed.harbour = `number,stage,date,time,name,line_up
H1,Crane Stage,2027-05-01,18:30,Open Air,Ada Moon; Nils
H2,Crane Stage,2027-05-01,21:00,"Brass, and more",Oslo Brass
`
    expect(await buildAll().then((changes) => changes.toSorted())).toEqual([
      'added event:crane-stage:2027-05-01T18:30',
      'linked hosts venue:crane-stage event:crane-stage:2027-05-01T18:30',
      'linked performs_at artist:ada-moon event:crane-stage:2027-05-01T18:30',
      'linked performs_at artist:nils event:crane-stage:2027-05-01T18:30',
      'removed event:pier-one:2027-05-01T18:30',
    ])
    listed.harbour = listed.harbour.replace('Ada Moon; Nils', 'Nils').replace('Open Air', 'Open Sky')
    expect(await buildAll().then((changes) => changes.toSorted())).toEqual([
      'changed event:crane-stage:2027-05-01T18:30',
      'unlinked performs_at artist:ada-moon event:crane-stage:2027-05-01T18:30',
    ])
    // One source takes it back, the other still lists it.
    listed.whatsOn = { ...listed.whatsOn, 'gig-7': { cancelled: true } }
    expect((await buildAll()).map((change) => change.split(' ')[0])).toEqual(['refused'])
    expect(await storage.graph('city').getNode('event:blue-hall:2027-04-02T18:00')).not.toBeNull()
  })

  it('takes away what is no longer listed, and brings it back when it is listed again', async () => {
    await buildAll()
    const before = listed.harbour
    listed.harbour = 'number,stage,date,time,name,line_up\n'
    const removed = ['removed event:crane-stage:2027-05-01T21:00', 'removed event:pier-one:2027-05-01T18:30']
    expect((await buildAll()).toSorted()).toEqual(removed)
    expect(await buildAll()).toEqual([])
    listed.harbour = before
    expect((await buildAll()).filter((change) => change.startsWith('added'))).toHaveLength(2)
    expect(await storage.graph('city').nodes('event')).toHaveLength(6)
  })

  it('refuses what cannot be read, says why, and builds the rest', async () => {
    listed.blueHall = [
      { id: 1, title: 'Fine', starts_at: '2027-04-02T20:00:00Z', acts: [] },
      { id: 2, title: 5 },
    ]
    await ingestAll()
    const { id, data } = await build(storage)
    expect(data).toEqual({ state: 'finished', built: 5, refused: 1 })
    const refused = (await recordsOf(id)).filter(({ action }) => action === 'refused')
    expect(refused).toEqual([expect.objectContaining({ detail: expect.stringMatching(/^blue-hall lists .*title/s) })])
    expect(await storage.repository('raw').count({ state: 'refused' })).toBe(1)
  })

  it('keeps what it has when a source is down', async () => {
    await buildAll()
    listed.down = true
    await expect(ingestAll()).rejects.toThrow('answered 503')
    expect(await storage.graph('city').nodes('event')).toHaveLength(6)
  })

  it('builds each entry once when two carpenters run at once', async () => {
    await ingestAll()
    const runs = await Promise.all([build(storage), build(storage)])
    expect(runs.reduce((sum, { data }) => sum + data.built, 0)).toBe(7)
    const records = (await Promise.all(runs.map(({ id }) => recordsOf(id)))).flat()
    expect(records.filter(({ action }) => action === 'added')).toHaveLength(15)
  })
})
