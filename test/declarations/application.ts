/**
 * What applications export without naming a type. `npm run check` emits its declarations against the built package, which fails where
 * the type of an export has a name that `holdfast` does not export.
 */
import {
  count,
  dateTrunc,
  defineSchema,
  documents,
  graph,
  increment,
  openStorage,
  queue,
  sum,
  t,
  table,
} from 'holdfast'

export const columns = { id: t.id(), balance: t.bigint().nullable() }
export const accounts = table(columns, { versioned: true })
export const notes = documents<{ text: string }>()
export const mails = queue<{ to: string }, { messageId: string }>()
export const city = graph({ nodes: {}, relations: {} })

export const schema = defineSchema(
  {
    accounts,
    notes,
    mails,
    city,
    users: table(
      {
        id: t.integer().primaryKey(),
        name: t.text(),
        role: t.enum(['admin', 'user']).default('user'),
        price: t.decimal(10, 2),
        firstSeen: t.timestamp().defaultNow(),
      },
      { history: true },
    ),
    sessions: table({ id: t.id(), userId: t.integer().references('users', { onDelete: 'cascade' }) }),
  },
  ({ one, many }) => ({ sessions: { user: one('users', 'userId') }, users: { sessions: many('sessions', 'userId') } }),
)

export const open = () => openStorage('memory:', { schema })
export const storage = await open()
export const { transaction, batch, metrics, health, onStatement, migrations, audit, sql, models } = storage

export const users = storage.repository('users')
export const anything = storage.repository<{ x: number }>('anything')
export const find = users.find
export const found = () => users.find({ select: ['id', 'name'], include: { sessions: { include: { user: true } } } })
export const page = () => users.page({ first: 10, include: { sessions: true } })
export const stream = () => users.stream({ include: { sessions: true } })
export const daily = () =>
  users.aggregate({ groupBy: { day: dateTrunc('day', 'firstSeen') }, select: { n: count(), price: sum('price') } })
export const query = users.query().leftJoin('sessions', { id: 'userId' }).groupBy({ name: 'name' })
export const grouped = query.select({ n: count('sessions.id') })
export const patch = { turns: increment(1) }
export const past = users.asOf(new Date())
export const versions = () => users.history(1)
export const watch = () => users.watch({})

export const jobs = storage.queue('mails')
export const anyJobs = storage.queue<{ to: string }>()
export const work = () => jobs.work(async (job) => ({ messageId: job.data.to }))
export const workers = () => storage.work({ mails: (job) => ({ messageId: job.data.to }) })
export const stats = () => jobs.stats()

export const cache = storage.cache<string>('names')
export const cityGraph = storage.graph('city')
export const anyGraph = storage.graph()

export const inTransaction = () =>
  storage.transaction(async (tx) => ({
    users: tx.repository('users'),
    jobs: tx.queue('mails'),
    cache: tx.cache('names'),
    city: tx.graph('city'),
    audit: tx.audit,
  }))
