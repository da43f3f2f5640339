import type { Row, SchemaChange } from '../backend/index.ts'
import { MigrationError } from '../base/errors.ts'
import { Repository } from '../repository/index.ts'
import type { Model } from '../schema/index.ts'
import { modelsOf } from './changes.ts'
import type { MigrationHost } from './host.ts'
import type { SchemaState } from './schema-state.ts'

/** How many rows are written at once. */
const PAGE = 1_000

/** How far the copying of a table is. */
export interface CopyProgress {
  readonly table: string
  readonly rows: number
  readonly total: number
  readonly done: boolean
}

// biome-ignore lint/suspicious/noExplicitAny: the rows of a model that is known at run time only.
type Rows = Repository<any, any, any, any, any>

/**
 * Copies the rows of all tables of a state into another database that has the same tables.
 *
 * @throws MigrationError where there are more than `most` rows.
 */
export async function copyRows(
  from: MigrationHost,
  to: MigrationHost,
  state: SchemaState,
  most: number,
  onProgress: (progress: CopyProgress) => void = () => undefined,
): Promise<void> {
  const models = [...modelsOf(state).values()]
  const totals = await Promise.all(models.map((model) => withRows(from, model, (rows) => rows.count())))
  const all = totals.reduce((sum, rows) => sum + rows, 0)
  if (all > most) {
    throw new MigrationError(`The database has ${all} rows, more than the ${most} that are copied for a rehearsal.`, {
      hint: 'Make a copy with the tools of the database, and name it: --on <url>.',
    })
  }
  // Tables may refer to each other in any order.
  await alterAll(to, models, (model) => ({ kind: 'alterTable', from: model, to: { ...model, foreignKeys: [] } }))
  for (const [at, model] of models.entries()) {
    await withRows(from, model, (rows) =>
      withRows(to, model, (copy) => copyTable(model, rows, copy, totals[at] as number, onProgress)),
    )
  }
  await alterAll(to, models, (model) => ({ kind: 'alterTable', from: { ...model, foreignKeys: [] }, to: model }))
}

async function alterAll(host: MigrationHost, models: readonly Model[], change: (model: Model) => SchemaChange) {
  const changes = models.filter(({ foreignKeys }) => foreignKeys.length > 0).map(change)
  if (changes.length === 0) return
  await host.alter((session) => session.applySchema(changes, new Map(models.map((model) => [model.name, model]))))
}

async function copyTable(
  { table }: Model,
  from: Rows,
  to: Rows,
  total: number,
  onProgress: (progress: CopyProgress) => void,
): Promise<void> {
  // What migrations have put there themselves.
  await to.deleteMany({} as never)
  let rows = 0
  let page: Row[] = []
  const write = async (): Promise<void> => {
    if (page.length > 0) await to.createMany(page as never)
    rows += page.length
    page = []
    onProgress({ table, rows, total, done: false })
  }
  for await (const row of from.stream()) if (page.push(row as Row) >= PAGE) await write()
  await write()
  onProgress({ table, rows, total, done: true })
}

let copies = 0

/** The rows of a table, under a name that no other model has. */
function withRows<T>(host: MigrationHost, model: Model, work: (rows: Rows) => Promise<T>): Promise<T> {
  const own = {
    ...model,
    kind: 'table',
    name: `holdfastCopy${++copies} ${model.name}`,
    foreignKeys: [],
    history: undefined,
  }
  return host.withModel(own as unknown as Model, () =>
    work(new Repository(host.session, own as unknown as Model) as Rows),
  )
}
