import type { Connection, ExistingIndex, ExistingReference, TableRules } from '../../backend/index.ts'
import type { Models } from '../../schema/index.ts'
import { postgresDialect, schemaSteps } from '../sql/index.ts'

/** Table, what it is, how it is written. */
function rulesQuery(namespace: string): string {
  return `select t.relname, 'index ' || i.relname as rule,
      regexp_replace(pg_get_indexdef(i.oid), ' ON .*? USING ', ' using ') as text
    from pg_index as x join pg_class as t on t.oid = x.indrelid join pg_class as i on i.oid = x.indexrelid
    where t.relnamespace = ${namespace} and t.relkind in ('r', 'p') and not x.indisprimary
    union all
    select t.relname, case c.contype when 'p' then 'primary key ' when 'f' then 'foreign key ' else 'check ' end || c.conname,
      pg_get_constraintdef(c.oid) || case when c.convalidated then '' else ' not valid' end
    from pg_constraint as c join pg_class as t on t.oid = c.conrelid
    where t.relnamespace = ${namespace} and c.contype in ('p', 'f', 'c')
    union all
    select t.relname, 'default of ' || a.attname,
      case a.attidentity when '' then pg_get_expr(d.adbin, d.adrelid) else 'generated' end
    from pg_attribute as a join pg_class as t on t.oid = a.attrelid
    left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where t.relnamespace = ${namespace} and t.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
      and (d.oid is not null or a.attidentity <> '')
    order by 1, 2`
}

function indexesQuery(namespace: string): string {
  return `select t.relname, i.relname as name, x.indisunique as "unique", x.indpred is not null as partial,
      array_to_json(array(select a.attname from unnest(x.indkey) with ordinality as k (number, place)
        left join pg_attribute as a on a.attrelid = t.oid and a.attnum = k.number and k.number > 0
        where k.place <= x.indnkeyatts order by k.place)) as columns
    from pg_index as x join pg_class as t on t.oid = x.indrelid join pg_class as i on i.oid = x.indexrelid
    where t.relnamespace = ${namespace} and t.relkind in ('r', 'p') and not x.indisprimary order by 1, 2`
}

const ACTIONS = `'{"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}'::jsonb`

function referencesQuery(namespace: string): string {
  const names = (numbers: string, table: string): string =>
    `array_to_json(array(select a.attname from unnest(${numbers}) with ordinality as k (number, place)
      join pg_attribute as a on a.attrelid = ${table} and a.attnum = k.number order by k.place))`
  return `select t.relname, ${names('c.conkey', 'c.conrelid')} as columns, r.relname as "table",
      ${names('c.confkey', 'c.confrelid')} as "references",
      ${ACTIONS} ->> c.confdeltype::text as "onDelete", ${ACTIONS} ->> c.confupdtype::text as "onUpdate"
    from pg_constraint as c join pg_class as t on t.oid = c.conrelid join pg_class as r on r.oid = c.confrelid
    where t.relnamespace = ${namespace} and c.contype = 'f' order by 1, c.conname`
}

type RunSql = NonNullable<Connection['sql']>

/** The rules of the tables of the schema that new tables go into. */
export async function inspectRules(run: RunSql): Promise<TableRules[]> {
  return collect(run, 'current_schema()::regnamespace')
}

/** The rules of tables made from models, as temporary ones: whoever calls this rolls back. */
export async function expectedRules(run: RunSql, models: Models): Promise<TableRules[]> {
  await run('set local search_path to pg_temp', [])
  const changes = [...models.values()].map((model) => ({ kind: 'createTable' as const, model }))
  const texts = schemaSteps(changes, new Set(), models, postgresDialect).map(String)
  if (texts.length === 0) return []
  await run(texts.join(';\n'), [])
  return collect(run, 'pg_my_temp_schema()')
}

async function collect(run: RunSql, namespace: string): Promise<TableRules[]> {
  const rules = await byTable<{ rule: string; text: string }>(run, rulesQuery(namespace))
  const indexes = await byTable<ExistingIndex>(run, indexesQuery(namespace))
  const references = await byTable<ExistingReference>(run, referencesQuery(namespace))
  return [...rules].map(([name, own]) => ({
    name,
    rules: new Map(own.map(({ rule, text }) => [rule, text])),
    indexes: indexes.get(name) ?? [],
    references: references.get(name) ?? [],
  }))
}

/** The rows of a query, by the name of the table that they begin with. */
async function byTable<Found>(run: RunSql, query: string): Promise<Map<string, Found[]>> {
  const { rows } = await run(query, [])
  const found = new Map<string, Found[]>()
  for (const { relname, ...row } of rows) {
    const name = relname as string
    const own = found.get(name)
    if (own === undefined) found.set(name, [row as Found])
    else own.push(row as Found)
  }
  return found
}
