import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { type ByHand, type Found, type LevelStatements, pathByLevel, reachByLevel } from './by-hand.ts'

const EDGES_A_STATEMENT = 5_000

/** pg with named statements on the database of a storage. */
export async function openPostgres(url: string): Promise<ByHand> {
  const client = new pg.Client(url)
  await client.connect()
  const ask = (name: string, text: string) => {
    const statement = { name, text: text.replaceAll('city_', 'holdfast_city_') }
    return async (...values: unknown[]): Promise<Record<string, unknown>[]> =>
      (await client.query({ ...statement, values })).rows
  }
  const neighbors = ask(
    'neighbors',
    `select n.* from city_edges e join city_nodes n on n.id = e.target
     where e.source = $1 and e.relation = 'follows' order by e.target`,
  )
  const reach = ask(
    'reach',
    `with recursive reach(id, depth) as (
       select $1::text collate "C", 0 union
       select e.target, r.depth + 1 from reach r join city_edges e on e.source = r.id and e.relation = 'follows'
       where r.depth < $2)
     select n.*, m.depth from (select id, min(depth) as depth from reach group by id) m join city_nodes n on n.id = m.id`,
  )
  const path = ask(
    'path',
    `with recursive walk(id, depth, path) as (
       select $1::text collate "C", 0, array[$1::text collate "C"] union
       select e.target, w.depth + 1, w.path || e.target
       from walk w join city_edges e on e.source = w.id and e.relation = 'follows' where w.depth < 8)
     select depth from walk where id = $2 limit 1`,
  )
  const targets = ask('targets', `select target from city_edges where source = any($1) and relation = 'follows'`)
  const from = ask('from', `select source, target from city_edges where source = any($1) and relation = 'follows'`)
  const to = ask('to', `select source, target from city_edges where target = any($1) and relation = 'follows'`)
  const between = ask(
    'between',
    `select * from city_edges where source = any($1) and target = any($2) and relation = 'follows'`,
  )
  const byIds = ask('nodes', 'select * from city_nodes where id = any($1)')
  const insert = ask(
    'insert',
    `insert into city_edges (id, source, relation, target, data, created_at, updated_at)
     select id, source, 'follows', target, null, now(), now()
     from unnest($1::text[], $2::text[], $3::text[]) as new(id, source, target)`,
  )
  const statements: LevelStatements = {
    targetsOf: async (ids) => (await targets(ids)).map((row) => row['target'] as string),
    edgesFrom: async (ids) => (await from(ids)).map((row) => [row['source'] as string, row['target'] as string]),
    edgesTo: async (ids) => (await to(ids)).map((row) => [row['target'] as string, row['source'] as string]),
    edgesBetween: (sources, ends) => between(sources, ends),
    nodes: async (ids) => (await byIds(ids)) as unknown as Found[],
  }
  return {
    neighbors: async (id) => (await neighbors(id)) as unknown as Found[],
    reachRecursive: async (id, depth) => (await reach(id, depth)) as unknown as Found[],
    reachByLevel: (id, depth) => reachByLevel(statements, id, depth),
    pathRecursive: async (a, b) => ((await path(a, b))[0]?.['depth'] as number | undefined) ?? Number.NaN,
    pathByLevel: (a, b) => pathByLevel(statements, a, b),
    async insertEdges(edges) {
      await client.query('begin')
      for (let at = 0; at < edges.length; at += EDGES_A_STATEMENT) {
        const part = edges.slice(at, at + EDGES_A_STATEMENT)
        await insert(
          part.map(() => randomUUID()),
          part.map(({ source }) => source),
          part.map(({ target }) => target),
        )
      }
      await client.query('commit')
    },
    close: () => client.end(),
  }
}
