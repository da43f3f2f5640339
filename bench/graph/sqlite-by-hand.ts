import { randomUUID } from 'node:crypto'
import Database from 'better-sqlite3'
import { type ByHand, type Edge, type Found, type LevelStatements, pathByLevel, reachByLevel } from './by-hand.ts'

interface NodeRow extends Found {
  data: unknown
}

/** better-sqlite3 with prepared statements on the file of a storage. */
export function openSqlite(file: string): ByHand {
  const database = new Database(file)
  database.pragma('journal_mode = wal')
  database.pragma('synchronous = full')
  database.pragma('foreign_keys = on')
  const list = '(select value from json_each(?))'
  const sql = (text: string) => database.prepare(text.replaceAll('city_', 'holdfast_city_'))
  const neighbors = sql(
    `select n.* from city_edges e join city_nodes n on n.id = e.target
     where e.source = ? and e.relation = 'follows' order by e.target`,
  )
  const reach = sql(
    `with recursive reach(id, depth) as (
       select ?, 0 union
       select e.target, r.depth + 1 from reach r cross join city_edges e on e.source = r.id and e.relation = 'follows'
       where r.depth < ?)
     select n.*, m.depth from (select id, min(depth) as depth from reach group by id) m
     cross join city_nodes n on n.id = m.id`,
  )
  const path = sql(
    `with recursive walk(id, depth, path) as (
       select ?, 0, json_array(?) union
       select e.target, w.depth + 1, json_insert(w.path, '$[#]', e.target)
       from walk w cross join city_edges e on e.source = w.id and e.relation = 'follows' where w.depth < 8)
     select depth from walk where id = ? limit 1`,
  ).pluck()
  const targets = sql(`select target from city_edges where source in ${list} and relation = 'follows'`).pluck()
  const from = sql(`select source, target from city_edges where source in ${list} and relation = 'follows'`).raw()
  const to = sql(`select target, source from city_edges where target in ${list} and relation = 'follows'`).raw()
  const between = sql(`select * from city_edges where source in ${list} and target in ${list} and relation = 'follows'`)
  const byIds = sql(`select * from city_nodes where id in ${list}`)
  const insert = sql(
    `insert into city_edges (id, source, relation, target, data, created_at, updated_at) values (?, ?, ?, ?, null, ?, ?)`,
  )
  const insertAll = database.transaction((edges: readonly Edge[], now: number) => {
    for (const { source, relation, target } of edges) insert.run(randomUUID(), source, relation, target, now, now)
  })
  const read = (rows: unknown[]): NodeRow[] => {
    for (const row of rows as NodeRow[]) row.data = JSON.parse(row.data as string)
    return rows as NodeRow[]
  }
  const json = JSON.stringify
  const statements: LevelStatements = {
    targetsOf: async (ids) => targets.all(json(ids)) as string[],
    edgesFrom: async (ids) => from.all(json(ids)) as [string, string][],
    edgesTo: async (ids) => to.all(json(ids)) as [string, string][],
    edgesBetween: async (sources, ends) => between.all(json(sources), json(ends)),
    nodes: async (ids) => read(byIds.all(json(ids))),
  }
  return {
    neighbors: async (id) => read(neighbors.all(id)),
    reachRecursive: async (id, depth) => read(reach.all(id, depth)),
    reachByLevel: (id, depth) => reachByLevel(statements, id, depth),
    pathRecursive: async (a, b) => (path.get(a, a, b) as number | undefined) ?? Number.NaN,
    pathByLevel: (a, b) => pathByLevel(statements, a, b),
    insertEdges: async (edges) => insertAll(edges, Date.now()),
    close: async () => {
      database.close()
    },
  }
}
