import { beforeEach, describe, expect, it } from 'vitest'
import { Statements } from '../../../../../test/statements.ts'
import { defineSchema, documents, t, table } from '../../schema/index.ts'
import { memory } from './index.ts'

const schema = defineSchema({
  artists: table({ id: t.integer().primaryKey(), name: t.text().nullable() }),
  albums: table(
    {
      id: t.integer().primaryKey(),
      artistId: t.integer().nullable(),
      title: t.text(),
      price: t.decimal(10, 2).nullable(),
      cover: t.bytes().nullable(),
      at: t.timestamp().nullable(),
    },
    { indexes: ['artistId'] },
  ),
  notes: documents({ indexes: ['owner.team'] }),
})

let db: Statements

beforeEach(async () => {
  db = new Statements(memory()({ models: schema.models }), schema)
  await db.create()
})

async function ids(where: object, model = 'albums'): Promise<unknown[]> {
  return (await db.select(model, { where, orderBy: { id: 'asc' } })).map(({ id }) => id)
}

function album(id: number, title: string, more: object = {}) {
  return { id, artistId: null, title, price: null, cover: null, at: null, ...more }
}

async function note(id: string, data: unknown): Promise<void> {
  const now = new Date()
  await db.insert('notes', [{ id, data, version: 1, createdAt: now, updatedAt: now }])
}

describe('conditions', () => {
  it('are true or false for nulls too, and not is the exact complement', async () => {
    await db.insert('albums', [album(1, 'a', { price: '5.00' }), album(2, 'b', { price: '9.00' }), album(3, 'c')])
    expect(await ids({ price: { gt: '5.00' } })).toEqual([2])
    expect(await ids({ not: { price: { gt: '5.00' } } })).toEqual([1, 3])
    expect(await ids({ price: { ne: '5.00' } })).toEqual([2, 3])
    expect(await ids({ price: { notIn: ['5.00'] } })).toEqual([2, 3])
    expect(await ids({ price: null })).toEqual([3])
    expect(await ids({ price: { in: ['9.00', null] } })).toEqual([2, 3])
    expect(await ids({ or: [] })).toEqual([])
    expect(await ids({ and: [] })).toEqual([1, 2, 3])
  })

  it('match text letter for letter, and decimals and bytes by what they hold', async () => {
    await db.insert('albums', [
      album(1, '100%', { price: '10.00', cover: new Uint8Array([1, 2]) }),
      album(2, '100_', { price: '9.50', cover: new Uint8Array([1]) }),
      album(3, 'A', { price: '-1.00', cover: new Uint8Array([255]) }),
    ])
    expect(await ids({ title: { contains: '%' } })).toEqual([1])
    expect(await ids({ title: { startsWith: '100' } })).toEqual([1, 2])
    expect(await ids({ title: { endsWith: '_' } })).toEqual([2])
    expect(await ids({ title: 'a' })).toEqual([])
    expect(await ids({ price: { lt: '9.99' } })).toEqual([2, 3])
    expect(await ids({ cover: new Uint8Array([1, 2]) })).toEqual([1])
    expect(await ids({ cover: { in: [new Uint8Array([1]), new Uint8Array([255])] } })).toEqual([2, 3])
    expect(await ids({ cover: { gt: new Uint8Array([1]) } })).toEqual([1, 3])
  })

  it('at a JSON path speak of one type, and find missing and null alike', async () => {
    await note('number', { age: 7 })
    await note('text', { age: '7' })
    await note('null', { age: null })
    await note('missing', {})
    await note('list', { age: [7, 'x'] })
    expect(await ids({ age: { gt: 5 } }, 'notes')).toEqual(['number'])
    expect(await ids({ age: { gte: '' } }, 'notes')).toEqual(['text'])
    expect(await ids({ age: null }, 'notes')).toEqual(['missing', 'null'])
    expect(await ids({ age: { in: [7, '7'] } }, 'notes')).toEqual(['number', 'text'])
    expect(await ids({ age: { has: 'x' } }, 'notes')).toEqual(['list'])
    expect(await ids({ age: { ne: 7 } }, 'notes')).toEqual(['list', 'missing', 'null', 'text'])
  })

  it('at a path see only what the document itself holds', async () => {
    await note('a', { list: [1, 2], owner: { team: 'x' } })
    expect(await ids({ constructor: null }, 'notes')).toEqual(['a'])
    expect(await ids({ 'list.length': null }, 'notes')).toEqual(['a'])
    expect(await ids({ 'list.0': null }, 'notes')).toEqual(['a'])
    expect(await ids({ 'owner.team': 'x' }, 'notes')).toEqual(['a'])
  })
})

describe('order', () => {
  it('puts null first ascending and last descending, and text by code point', async () => {
    const names = ['\u{1F600}', null, 'b', 'a', 'B', '\uFB01', '']
    await db.insert(
      'artists',
      names.map((name, id) => ({ id, name })),
    )
    const asc = (await db.select('artists', { orderBy: { name: 'asc' } })).map(({ name }) => name)
    expect(asc).toEqual([null, '', 'B', 'a', 'b', '\uFB01', '\u{1F600}'])
    const desc = (await db.select('artists', { orderBy: { name: 'desc' } })).map(({ name }) => name)
    expect(desc).toEqual(asc.toReversed())
  })

  it('breaks ties by primary key, and cuts after it', async () => {
    await db.insert(
      'albums',
      [3, 1, 2, 5, 4].map((id) => album(id, id > 3 ? 'x' : 'y')),
    )
    const rows = await db.select('albums', { orderBy: { title: 'desc' }, offset: 1, limit: 3 })
    expect(rows.map(({ id }) => id)).toEqual([2, 3, 4])
  })

  it('ranks what stands at a JSON path by its type', async () => {
    const values = { e: [1], d: 'a', c: 2, b: true, a: null, bb: false, cc: -1 }
    for (const [id, at] of Object.entries(values)) await note(id, { owner: { team: at } })
    const indexed = await db.select('notes', { orderBy: { 'owner.team': 'asc' } })
    expect(indexed.map(({ id }) => id)).toEqual(['a', 'bb', 'b', 'cc', 'c', 'd', 'e'])
  })

  it('keeps the first rows for each owner', async () => {
    await db.insert(
      'albums',
      [1, 2, 3, 4, 5, 6].map((id) => album(id, `t${id}`, { artistId: id % 2 })),
    )
    const rows = await db.select('albums', {
      where: { artistId: { in: [0, 1] } },
      orderBy: { title: 'desc' },
      limitPer: { fields: ['artistId'], limit: 2 },
    })
    expect(rows.map(({ id }) => id)).toEqual([6, 5, 4, 3])
  })
})

describe('joins', () => {
  beforeEach(async () => {
    await db.insert('artists', [
      { id: 1, name: 'one' },
      { id: 2, name: 'two' },
      { id: 3, name: null },
    ])
    await db.insert('albums', [
      album(1, 'a', { artistId: 1 }),
      album(2, 'b', { artistId: 1 }),
      album(3, 'c', { artistId: 9 }),
      album(4, 'one'),
    ])
  })

  const fields = { title: 'title', name: 'artists.name' }

  it('give each pair of equal rows; null is equal to nothing', async () => {
    const joins = [{ model: 'artists', kind: 'inner' as const, on: { artistId: 'id' } }]
    expect(await db.select('albums', { joins, fields, orderBy: { title: 'asc' } })).toEqual([
      { title: 'a', name: 'one' },
      { title: 'b', name: 'one' },
    ])
  })

  it('keep rows without a partner in a left join, and filter by either side', async () => {
    const joins = [{ model: 'artists', kind: 'left' as const, on: { artistId: 'id' } }]
    expect(
      await db.select('albums', { joins, fields, where: { 'artists.name': null }, orderBy: { title: 'asc' } }),
    ).toEqual([
      { title: 'c', name: null },
      { title: 'one', name: null },
    ])
    expect(await db.select('albums', { joins, fields, where: { 'artists.name': 'one', title: 'b' } })).toEqual([
      { title: 'b', name: 'one' },
    ])
  })

  it('work on fields without an index, in both directions, and one after the other', async () => {
    const byName = [{ model: 'albums', kind: 'inner' as const, on: { name: 'title' } }]
    expect(await db.select('artists', { joins: byName, fields: { id: 'id', album: 'albums.id' } })).toEqual([
      { id: 1, album: 4 },
    ])
    const joins = [
      { model: 'albums', kind: 'left' as const, on: { id: 'artistId' } },
      { model: 'notes', kind: 'left' as const, on: { name: 'owner.team' } },
    ]
    await note('n', { owner: { team: 'two' } })
    const rows = await db.select('artists', {
      joins,
      fields: { id: 'id', title: 'albums.title', note: 'notes.id' },
      orderBy: { id: 'asc' },
    })
    expect(rows).toEqual([
      { id: 1, title: 'a', note: null },
      { id: 1, title: 'b', note: null },
      { id: 2, title: null, note: 'n' },
      { id: 3, title: null, note: null },
    ])
  })
})

describe('what is handed out', () => {
  it('is a copy: changing it, or what was given, changes nothing stored', async () => {
    const given = { id: 1, artistId: null, title: 'a', price: null, cover: new Uint8Array([1]), at: new Date(5) }
    await db.insert('albums', [given])
    given.cover[0] = 9
    given.at.setTime(9)
    const [row] = await db.select('albums')
    ;(row as typeof given).cover[0] = 9
    ;(row as typeof given).at.setTime(9)
    expect(await db.select('albums')).toEqual([{ ...given, cover: new Uint8Array([1]), at: new Date(5) }])

    const data = { deep: { list: [1] } }
    await note('a', data)
    data.deep.list.push(2)
    const [stored] = await db.select('notes', { fields: { data: 'data', list: 'deep.list' } })
    ;(stored as { list: number[] }).list.push(3)
    ;(stored as { data: typeof data }).data.deep.list.push(3)
    expect(await db.select('notes', { fields: { data: 'data', list: 'deep.list' } })).toEqual([
      { data: { deep: { list: [1] } }, list: [1] },
    ])
  })

  it('has null where a path leads nowhere', async () => {
    await note('a', { owner: null })
    expect(await db.select('notes', { fields: { team: 'owner.team', other: 'x.y' } })).toEqual([
      { team: null, other: null },
    ])
  })
})
