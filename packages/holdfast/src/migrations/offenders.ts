import { contentOf, type Row, type Session } from '../backend/index.ts'
import { ConflictError, ConstraintError } from '../base/errors.ts'
import { count, Repository } from '../repository/index.ts'
import type { Model, Models } from '../schema/index.ts'
import type { MigrationHost } from './host.ts'

/** How many rows are named, and how many values that are there twice. */
const NAMED = 5

// biome-ignore lint/suspicious/noExplicitAny: the rows of a model that is known at run time only.
type Rows = Repository<any, any, any, any, any>

/** What a step would have made of the tables, and what it broke on. */
export interface BrokenStep {
  /** The models before it: the rows are those now. */
  readonly before: Models
  /** The models of the tables that it changes, by their names after it. */
  readonly changed: readonly { readonly from: Model; readonly to: Model }[]
  readonly error: unknown
}

/** The rows that keep a step from being made, by their keys; the first few, one sentence for each kind. Nothing where that cannot be told. */
export async function offendersOf(host: MigrationHost, session: Session, broken: BrokenStep): Promise<string[]> {
  const { error } = broken
  if (!(error instanceof ConstraintError || error instanceof ConflictError)) return []
  const found = broken.changed.find(({ from, to }) => [from.name, to.name, from.table, to.table].includes(error.model))
  if (found === undefined) return []
  return withRows(host, session, found.from, (rows) => {
    const search = new Search(host, session, rows, found.from, found.to, broken)
    if (error instanceof ConflictError) return search.doubles(error.fields)
    if (error.code === 'CONSTRAINT_NOT_NULL') return search.nulls(error.fields)
    return error.code === 'CONSTRAINT_FOREIGN_KEY' ? search.orphans() : search.unfit()
  })
}

class Search {
  readonly #host: MigrationHost
  readonly #session: Session
  readonly #rows: Rows
  readonly #from: Model
  readonly #to: Model
  readonly #broken: BrokenStep

  constructor(host: MigrationHost, session: Session, rows: Rows, from: Model, to: Model, broken: BrokenStep) {
    this.#host = host
    this.#session = session
    this.#rows = rows
    this.#from = from
    this.#to = to
    this.#broken = broken
  }

  /** Rows without a value. */
  async nulls(fields: readonly string[]): Promise<string[]> {
    const [field = ''] = fields
    if (!this.#from.byName.has(field)) {
      const rows = await this.#rows.count()
      return [`${this.#from.name} has ${rows} row${rows === 1 ? '' : 's'}, which would have no ${field}`]
    }
    return this.#matching({ [field]: null }, `have no ${field}`)
  }

  /** Values that several rows have. */
  async doubles(fields: readonly string[]): Promise<string[]> {
    if (!fields.every((field) => this.#isSame(field))) return []
    const groups = (await this.#rows.aggregate({
      where: { and: fields.map((field) => ({ [field]: { ne: null } })) },
      groupBy: Object.fromEntries(fields.map((field, at) => [`field${at}`, field])),
      select: { rows: count() },
      having: { rows: { gt: 1 } },
      limit: NAMED,
    } as never)) as Row[]
    return Promise.all(
      groups.map((group) =>
        this.#sharing(
          fields.map((_, at) => group[`field${at}`]),
          fields,
        ),
      ),
    )
  }

  async #sharing(values: readonly unknown[], fields: readonly string[]): Promise<string> {
    const where = Object.fromEntries(fields.map((field, at) => [field, values[at]]))
    const rows = (await this.#rows.find({ where: where as never, limit: NAMED + 1 })) as Row[]
    const keys = rows.slice(0, NAMED).map((row) => shown(this.#keyOf(row)))
    const more = rows.length > NAMED ? ' and more' : ''
    return `${this.#from.name} ${keys.join(', ')}${more} have the same ${fields.join(', ')}: ${shown(values)}`
  }

  /** Rows that refer to none. */
  async orphans(): Promise<string[]> {
    const known = new Set(this.#from.foreignKeys.map(({ column, model }) => contentOf([column, model])))
    const added = this.#to.foreignKeys.filter(({ column, model }) => !known.has(contentOf([column, model])))
    const found = await Promise.all(added.map((key) => this.#orphansOf(key.column, key.model)))
    return found.flat()
  }

  async #orphansOf(column: string, model: string): Promise<string[]> {
    const target = this.#broken.before.get(model)
    if (target === undefined || !this.#isSame(column)) return []
    return withRows(this.#host, this.#session, target, async (targets) => {
      const keys: unknown[][] = []
      let page: Row[] = []
      const [targetKey = ''] = target.primaryKey
      const look = async (): Promise<void> => {
        const there = await targets.findByIds([...new Set(page.map((row) => row[column]))] as never)
        const known = new Set((there as Row[]).filter((row) => row !== null).map((row) => contentOf(row[targetKey])))
        for (const row of page) if (!known.has(contentOf(row[column]))) keys.push(this.#keyOf(row))
        page = []
      }
      for await (const row of this.#rows.stream({ where: { [column]: { ne: null } } as never })) {
        if (page.push(row as Row) >= PAGE) await look()
        if (keys.length > NAMED) break
      }
      if (page.length > 0) await look()
      return listed(this.#from, keys, `refer to no ${target.name} by ${column}`)
    })
  }

  /** Rows that a new check, or the new values of an enum, do not let pass. */
  async unfit(): Promise<string[]> {
    const known = new Set(this.#from.checks.map(({ where }) => contentOf(where)))
    const added = this.#to.checks.filter(({ where }) => !known.has(contentOf(where)))
    const found: string[] = []
    for (const { where, fields, nullPasses } of added) {
      if (!fields.every((field) => this.#isSame(field))) continue
      const present = nullPasses === undefined ? {} : { [nullPasses]: { ne: null } }
      found.push(...(await this.#matching({ and: [{ not: where }, present] }, `do not meet ${JSON.stringify(where)}`)))
    }
    for (const { name, values } of this.#to.columns) {
      if (values === undefined || !this.#from.byName.has(name)) continue
      const { type } = this.#from.byName.get(name) ?? {}
      if (type !== 'text' && type !== 'enum') continue
      const own = this.#from.byName.get(name)?.values
      const foreign = own === undefined ? { notIn: values } : { in: own.filter((value) => !values.includes(value)) }
      found.push(
        ...(await this.#matching(
          { [name]: { ...foreign, ne: null } },
          `have another ${name} than ${values.join(', ')}`,
        )),
      )
    }
    return found
  }

  async #matching(where: object, what: string): Promise<string[]> {
    const rows = (await this.#rows.find({ where: where as never, limit: NAMED + 1 })) as Row[]
    return listed(
      this.#from,
      rows.map((row) => this.#keyOf(row)),
      what,
    )
  }

  #keyOf(row: Row): unknown[] {
    return this.#from.primaryKey.map((name) => row[name])
  }

  /** Whether a field was there before, and of the same type. */
  #isSame(field: string): boolean {
    const name = this.#from.kind === 'documents' && !this.#from.byName.has(field) ? 'data' : (field.split('.')[0] ?? '')
    const [before, after] = [this.#from.byName.get(name), this.#to.byName.get(name)]
    return before !== undefined && before.type === after?.type
  }
}

/** How many rows are looked up at once. */
const PAGE = 1_000

function listed({ name }: Model, keys: readonly unknown[][], what: string): string[] {
  if (keys.length === 0) return []
  const more = keys.length > NAMED ? ' and more' : ''
  return [`${name} ${keys.slice(0, NAMED).map(shown).join(', ')}${more} ${what}`]
}

function shown(values: readonly unknown[]): string {
  const texts = values.map((value) => (typeof value === 'bigint' ? String(value) : JSON.stringify(value)))
  return texts.length === 1 ? (texts[0] as string) : `(${texts.join(', ')})`
}

let searches = 0

/** The rows of a table as it is now, under a name that no other model has. */
async function withRows<T>(
  host: MigrationHost,
  session: Session,
  model: Model,
  work: (rows: Rows) => Promise<T>,
): Promise<T> {
  const own = { ...model, name: `holdfastOffenders${++searches} ${model.name}`, history: undefined } as unknown as Model
  return host.withModel(own, () => work(new Repository(session, own) as Rows))
}
