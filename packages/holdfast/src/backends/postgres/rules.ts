import type { Connection, TableRules } from '../../backend/index.ts'
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

type RunSql = NonNullable<Connection['sql']>

/** The rules of the tables of the schema that new tables go into. */
export async function inspectRules(run: RunSql): Promise<TableRules[]> {
  return collect(await run(rulesQuery('current_schema()::regnamespace'), []))
}

/** The rules of tables made from models, as temporary ones: whoever calls this rolls back. */
export async function expectedRules(run: RunSql, models: Models): Promise<TableRules[]> {
  await run('set local search_path to pg_temp', [])
  const changes = [...models.values()].map((model) => ({ kind: 'createTable' as const, model }))
  const texts = schemaSteps(changes, new Set(), models, postgresDialect).map(String)
  if (texts.length === 0) return []
  await run(texts.join(';\n'), [])
  return collect(await run(rulesQuery('pg_my_temp_schema()'), []))
}

function collect({ rows }: Awaited<ReturnType<RunSql>>): TableRules[] {
  const tables = new Map<string, Map<string, string>>()
  for (const { relname, rule, text } of rows as { relname: string; rule: string; text: string }[]) {
    const rules = tables.get(relname) ?? new Map<string, string>()
    tables.set(relname, rules.set(rule, text))
  }
  return [...tables].map(([name, rules]) => ({ name, rules }))
}
