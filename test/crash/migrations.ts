import { defineSchema, increment, type Migration, type Schema, t, table } from '../../packages/holdfast/src/index.ts'

/** Twelve migrations, each of which fails when it is applied a second time. */
export const migrations: readonly Migration[] = [
  {
    name: '00_users',
    up: (m) => m.createTable('users', { id: t.integer().primaryKey(), name: t.text() }),
    down: (m) => m.dropTable('users'),
  },
  ...Array.from({ length: 11 }, (_, at): Migration => {
    const column = `column${at + 1}`
    return {
      name: `${String(at + 1).padStart(2, '0')}_${column}`,
      up(m) {
        m.addColumn('users', column, t.integer().check({ gte: 0 }), { fill: at })
        m.createIndex('users', [column])
      },
      down: (m) => m.dropColumn('users', column),
    }
  }),
]

const counter = { id: t.integer().primaryKey(), n: t.integer() }

/** The table whose rows the next migration changes. */
export const counters: Migration = {
  name: '00_counters',
  up: (m) => m.createTable('counters', counter),
  down: (m) => m.dropTable('counters'),
}

export const counterSchema = defineSchema({ counters: table(counter) }) satisfies Schema

/** Counts every row up by one, ten at a time: a row that is changed twice shows it. */
export const countingUp: Migration = {
  name: '01_counting_up',
  up: (m) => m.data('counters', { set: { n: increment(1) }, batch: 10 }),
}

const author = { id: t.integer().primaryKey(), first: t.text(), last: t.text(), born: t.integer().nullable() }
const book = { id: t.integer().primaryKey(), authorId: t.integer().references('authors', { onDelete: 'cascade' }) }

/** Authors, their books, and a table that goes. */
export const base: readonly Migration[] = [
  {
    name: '0_base',
    up(m) {
      m.createTable('authors', author)
      m.createTable('books', book)
      m.createTable('leftovers', { id: t.integer().primaryKey(), note: t.text() })
    },
    down(m) {
      m.dropTable('leftovers')
      m.dropTable('books')
      m.dropTable('authors')
    },
  },
]

/** What the base leads to. */
export const baseSchema = defineSchema({
  authors: table(author),
  books: table(book),
  leftovers: table({ id: t.integer().primaryKey(), note: t.text() }),
}) satisfies Schema

/** Migrations with steps of every kind: of the schema, of rows, of what is parked, and of what SQLite builds anew. */
export const crossing: readonly Migration[] = [
  {
    name: '1_full_names',
    up(m) {
      m.addColumn('authors', 'fullName', t.text().nullable())
      m.data('authors', { each: (row) => ({ fullName: `${row['first']} ${row['last']}` }), batch: 25 })
      m.data('authors', { set: { born: increment(1) }, batch: 40 })
      m.alterColumn('authors', 'fullName', t.text())
      m.createIndex('authors', ['fullName'])
      m.dropColumn('authors', 'last')
    },
    down(m) {
      m.addColumn('authors', 'last', t.text(), { fill: '' })
      m.dropIndex('authors', ['fullName'])
      m.data('authors', { set: { born: increment(-1) }, batch: 40 })
      m.dropColumn('authors', 'fullName')
    },
  },
  {
    name: '2_shelves',
    up(m) {
      m.createTable('shelves', { id: t.integer().primaryKey(), name: t.text().unique() })
      m.addColumn('books', 'shelfId', t.integer().nullable().references('shelves'))
      m.addCheck('authors', { id: { gte: 0 } })
      m.renameColumn('authors', 'born', 'bornIn')
      m.dropTable('leftovers')
    },
    down(m) {
      m.createTable('leftovers', { id: t.integer().primaryKey(), note: t.text() })
      m.renameColumn('authors', 'bornIn', 'born')
      m.dropCheck('authors', { id: { gte: 0 } })
      m.dropColumn('books', 'shelfId')
      m.dropTable('shelves')
    },
  },
  {
    name: '3_beside_others',
    up(m) {
      m.addColumn('books', 'editorId', t.integer().nullable())
      m.addForeignKey('books', 'editorId', { model: 'authors', concurrently: true })
      m.createIndex('authors', ['first'], { concurrently: true })
      m.alterColumn('authors', 'bornIn', t.integer(), { concurrently: true })
      m.addCheck('books', { id: { gte: 0 } }, { concurrently: true })
    },
    down(m) {
      m.dropCheck('books', { id: { gte: 0 } })
      m.alterColumn('authors', 'bornIn', t.integer().nullable())
      m.dropIndex('authors', ['first'])
      m.dropColumn('books', 'editorId')
    },
  },
]

/** What they lead to. */
export const crossedSchema = defineSchema({
  authors: table(
    { id: t.integer().primaryKey(), first: t.text(), bornIn: t.integer(), fullName: t.text() },
    { indexes: ['fullName', 'first'], checks: [{ id: { gte: 0 } }] },
  ),
  books: table(
    {
      ...book,
      shelfId: t.integer().nullable().references('shelves'),
      editorId: t.integer().nullable().references('authors'),
    },
    { checks: [{ id: { gte: 0 } }] },
  ),
  shelves: table({ id: t.integer().primaryKey(), name: t.text().unique() }),
}) satisfies Schema
