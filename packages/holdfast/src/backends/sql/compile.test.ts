import { describe, expect, it } from 'vitest'
import { type Asked, Statements } from '../../../../../test/statements.ts'
import type { Backend } from '../../backend/index.ts'
import { defineSchema, documents, t, table } from '../../schema/index.ts'
import { bindAll, type Compiled, compileStatement, postgresDialect, sqliteDialect } from './index.ts'

const schema = defineSchema({
  users: table(
    {
      id: t.integer().primaryKey().generated(),
      name: t.text(),
      age: t.integer().nullable(),
      balance: t.decimal(10, 2),
      big: t.bigint(),
      seen: t.timestamp(),
      photo: t.bytes(),
      active: t.boolean(),
      tags: t.json<string[]>(),
    },
    { unique: ['name'] },
  ),
  sessions: table({ id: t.id(), userId: t.integer().references('users'), 'odd "name': t.text() }),
  links: table({ from: t.text(), to: t.text(), weight: t.real() }, { primaryKey: ['from', 'to'] }),
  notes: documents(),
})

/** Statements are only made here, never run. */
const make = new Statements({} as Backend, schema)

const sqlite = ({ statement }: Asked): string => compileStatement(statement, schema.models, sqliteDialect).text
const postgres = ({ statement }: Asked): string => compileStatement(statement, schema.models, postgresDialect).text

/** What is bound for the parameters of a statement. */
function bound({ statement, parameters }: Asked, dialect = sqliteDialect): unknown[] {
  return bindAll(compileStatement(statement, schema.models, dialect).bindings, parameters)
}

const some = { fields: { id: 'id' } }

describe('a select', () => {
  it('reads a record by its key', () => {
    const asked = make.selecting('sessions', { ...some, where: { id: 'x' } })
    expect(sqlite(asked)).toBe('select "t0"."id" as "id" from "sessions" as "t0" where "t0"."id" = +?')
    expect(postgres(asked)).toBe('select "t0"."id" as "id" from "sessions" as "t0" where "t0"."id" = $1::text')
  })

  it('quotes every name', () => {
    const asked = make.selecting('sessions', { fields: { 'a"b': 'odd "name' }, orderBy: [{ 'odd "name': 'asc' }] })
    expect(sqlite(asked)).toBe(
      'select "t0"."odd ""name" as "a""b" from "sessions" as "t0" order by "t0"."odd ""name" asc, "t0"."id" asc',
    )
    expect(postgres(asked)).toBe(sqlite(asked))
  })

  it('makes conditions that are never unknown where they are negated', () => {
    const asked = make.selecting('users', { ...some, where: { age: { ne: 5 }, not: { name: 'x' } } })
    expect(sqlite(asked)).toContain('where (("t0"."age" = +?) is not true and ("t0"."name" = +?) is not true)')
    expect(postgres(asked)).toContain(
      'where (("t0"."age" = $1::bigint) is not true and ("t0"."name" = $2::text) is not true)',
    )
  })

  it('passes a list as one parameter, whatever its length', () => {
    const asked = make.selecting('users', {
      ...some,
      where: { big: { in: [1n, -5n] }, photo: { in: [Uint8Array.of(255)] } },
    })
    expect(sqlite(asked)).toContain(
      '"t0"."big" in (select value from json_each(+?)) and "t0"."photo" in (select unhex(value) from json_each(+?))',
    )
    expect(bound(asked)).toEqual(['[1,-5]', '["ff"]'])
    expect(postgres(asked)).toContain('"t0"."big" = any($1::bigint[]) and "t0"."photo" = any($2::bytea[])')
    expect(bound(asked, postgresDialect)).toEqual([['1', '-5'], [Buffer.of(255)]])
  })

  it('matches parts of texts literally', () => {
    const asked = make.selecting('users', {
      ...some,
      where: { name: { contains: '%', startsWith: 'a', endsWith: '_' } },
    })
    expect(sqlite(asked)).toContain(
      'instr("t0"."name", +?) > 0 and ("t0"."name" >= +? and "t0"."name" < +?) and substr("t0"."name", length("t0"."name") - length(+?) + 1) = +?',
    )
    expect(bound(asked)).toEqual(['%', 'a', 'b', '_', '_'])
    expect(postgres(asked)).toContain(
      'strpos("t0"."name", $1::text) > 0 and "t0"."name" ^@ $2::text and right("t0"."name", length($3::text)) = $4::text',
    )
  })

  it('bounds a prefix from above whatever its last character is', () => {
    const upper = (prefix: string) => bound(make.selecting('users', { where: { name: { startsWith: prefix } } }))[1]
    expect(upper('az')).toBe('a{')
    expect(upper('\uD7FF')).toBe('\uE000')
    expect(upper('a\u{10FFFF}')).toBe('b')
    expect(upper('\u{10FFFF}')).toEqual(new Uint8Array(0))
    expect(upper('')).toEqual(new Uint8Array(0))
  })

  it('puts null first ascending and last descending', () => {
    const asked = make.selecting('users', { ...some, orderBy: [{ age: 'desc' }, { name: 'asc' }] })
    expect(sqlite(asked)).toContain('order by "t0"."age" desc, "t0"."name" asc, "t0"."id" asc')
    expect(postgres(asked)).toContain('order by "t0"."age" desc nulls last, "t0"."name" asc, "t0"."id" asc')
  })

  it('goes on after a row by comparing rows where that means the same', () => {
    const after = { name: 'kim', age: null, id: 1 }
    const same = make.selecting('users', { ...some, orderBy: [{ name: 'asc' }], after, limit: 2, offset: 1 })
    expect(sqlite(same)).toContain('where ("t0"."name", "t0"."id") > (+?, +?)')
    expect(postgres(same)).toContain('where ("t0"."name", "t0"."id") > ($1::text, $2::bigint)')
    const mixed = make.selecting('users', { ...some, orderBy: [{ name: 'desc' }, { id: 'asc' }], after })
    expect(sqlite(mixed)).toContain(
      'where ("t0"."name" <= +? and ("t0"."name" < +? or ("t0"."name" = +? and "t0"."id" > +?)))',
    )
    const nulls = make.selecting('users', { ...some, orderBy: [{ age: 'asc' }], after })
    expect(sqlite(nulls)).toContain('where ("t0"."age" is not null or ("t0"."age" is null and "t0"."id" > +?))')
    const last = make.selecting('users', {
      ...some,
      orderBy: [{ age: 'desc' }, { id: 'desc' }],
      after: { age: 5, id: 1 },
    })
    expect(sqlite(last)).toContain(
      'where (("t0"."age" < +? or "t0"."age" is null) or ("t0"."age" = +? and "t0"."id" < +?))',
    )
  })

  it('joins, groups and compares what it groups', () => {
    const asked = make.selecting('sessions', {
      joins: [{ model: 'users', kind: 'left', on: { userId: 'id' } }],
      outputs: (field) => [
        { kind: 'dateTrunc', name: 'day', unit: 'day', field: field('users.seen') },
        { kind: 'aggregate', name: 'n', function: 'count' },
        { kind: 'aggregate', name: 'oldest', function: 'max', field: field('users.age') },
      ],
      groupBy: ['day'],
      having: (shape) => ({
        kind: 'compare',
        field: { source: 'output', column: 'n', path: [] },
        operator: 'gte',
        operand: { kind: 'parameter', parameter: shape.add(2) },
      }),
    })
    const day = '("t1"."seen" - ("t1"."seen" % 86400000 + 86400000) % 86400000)'
    expect(sqlite(asked)).toBe(
      `select ${day} as "day", count(*) as "n", max("t1"."age") as "oldest" from "sessions" as "t0" left join "users" as "t1" on "t0"."user_id" = "t1"."id" group by ${day} having count(*) >= +?`,
    )
    expect(postgres(asked)).toContain(`group by date_trunc('day', "t1"."seen", 'UTC') having count(*) >= $1::bigint`)
  })

  it('takes the first rows of each group', () => {
    const asked = make.selecting('sessions', { ...some, orderBy: [], limitPer: { fields: ['userId'], limit: 3 } })
    expect(sqlite(asked)).toBe(
      'select "c0" as "id" from (select "t0"."id" as "c0", "t0"."id" as "o0", row_number() over (partition by "t0"."user_id" order by "t0"."id" asc) as "place" from "sessions" as "t0") as "ranked" where "place" <= +? order by "o0" asc',
    )
  })

  it('passes over rows without a limit', () => {
    const asked = make.selecting('sessions', { ...some, offset: 3 })
    expect(sqlite(asked)).toContain('limit -1 offset +?')
    expect(postgres(asked)).toContain('limit all offset $1::bigint')
  })
})

describe('a path into JSON', () => {
  it('takes every step for a key, whatever characters it has', () => {
    const steps = make.selecting('notes', { ...some, where: { [`it's.a"b.\\.$.[0].*`]: null } })
    expect(sqlite(steps)).toContain(`json_type("t0"."data", '$."it''s"."a\\"b"."\\\\"."$"."[0]"."*"')`)
    expect(postgres(steps)).toContain(`("t0"."data" -> 'it''s' -> 'a"b' -> '\\' -> '$' -> '[0]' -> '*')`)
  })

  it('is compared by containment in Postgres, and by type and value in SQLite', () => {
    const asked = make.selecting('notes', { ...some, where: { 'owner.team': 'x' } })
    expect(postgres(asked)).toContain('where "t0"."data" @> $1::jsonb')
    expect(bound(asked, postgresDialect)).toEqual(['{"owner":{"team":"x"}}'])
    expect(sqlite(asked)).toMatch(/where \(case json_type\(.* end = 3 and case json_type\(.* end = \+\?\)/)
    expect(bound(asked)).toEqual(['x'])
  })
})

describe('a write', () => {
  it('inserts any number of rows, with parameters that come before them', () => {
    const asked = make.inserting('users', [{ name: 'a', balance: '1.50', seen: 5 }], {
      now: ['seen'],
      onConflict: { columns: ['name'], set: { age: { $increment: 1 }, balance: { $proposed: true } } },
      returning: ['id', 'big'],
    })
    const now = `cast(cast(round(unixepoch('subsec') * 1000) as integer) + ? as integer)`
    expect(sqlite(asked)).toBe(
      `insert into "users" ("name", "balance", "seen") values (?, ?, ${now}) on conflict ("name") do update set "age" = "users"."age" + ?, "balance" = "excluded"."balance" returning "id" as "id", cast("big" as text) as "big"`,
    )
    expect(bound(asked)).toEqual(['a', 150n, 5, 1])
    expect(postgres(asked)).toContain(
      `values ($1::text, $2::numeric(10,2), (date_trunc('milliseconds', statement_timestamp()) + $3::double precision * interval '1 millisecond')) on conflict ("name") do update set "age" = case when abs("users"."age" + $4::bigint) <= 9007199254740991 then`,
    )
  })

  it('takes the columns of many rows as lists in Postgres', () => {
    const { statement, parameters } = make.inserting('links', [
      { from: 'a', to: 'b', weight: 1 },
      { from: 'c', to: 'd', weight: 2 },
    ])
    const lists: Compiled = compileStatement(statement, schema.models, postgresDialect, 'lists')
    expect(lists.text).toBe(
      'insert into "links" ("from", "to", "weight") select "c0", "c1", "c2" from unnest($1::text[], $2::text[], $3::double precision[]) as given("c0", "c1", "c2")',
    )
    expect(bindAll(lists.bindings, parameters)).toEqual([
      ['a', 'c'],
      ['b', 'd'],
      [1, 2],
    ])
  })

  it('chooses the rows of a limited update by their keys, once', () => {
    const { statement } = make.updating(
      'links',
      { weight: 0 },
      { limit: 2, orderBy: [{ weight: 'asc' }], returning: ['to'] },
    )
    const skipping = { statement: { ...statement, skipLocked: true } as typeof statement, parameters: [] }
    const chosen =
      'select "chosen"."from" as "k0", "chosen"."to" as "k1" from "links" as "chosen" order by "chosen"."weight" asc, "chosen"."from" asc, "chosen"."to" asc limit'
    expect(sqlite(skipping)).toBe(
      `update "links" as "t0" set "weight" = +? where ("t0"."from", "t0"."to") in (${chosen} +?) returning "to" as "to"`,
    )
    expect(postgres(skipping)).toBe(
      `update "links" as "t0" set "weight" = $1::double precision where ("t0"."from", "t0"."to") in (with chosen as materialized (${chosen} $2::bigint for update skip locked) select * from chosen) returning "to" as "to"`,
    )
    const single = make.deleting('sessions', { limit: 1, orderBy: [] })
    expect(postgres(single)).toBe(
      'delete from "sessions" as "t0" where "t0"."id" = any(array(select "chosen"."id" as "k0" from "sessions" as "chosen" order by "chosen"."id" asc limit $1::bigint for update))',
    )
  })

  it('changes members of a document together', () => {
    const asked = make.updating('notes', { title: 'x', [`it's`]: null })
    expect(sqlite(asked)).toBe(
      `update "notes" as "t0" set "data" = json_set("t0"."data", '$."title"', json(+?), '$."it''s"', json(+?))`,
    )
    expect(bound(asked)).toEqual(['"x"', 'null'])
    expect(postgres(asked)).toBe(
      `update "notes" as "t0" set "data" = case when jsonb_typeof("t0"."data") = 'object' then "t0"."data" || jsonb_build_object('title', $1::jsonb, 'it''s', $2::jsonb) else "t0"."data" end`,
    )
  })
})
