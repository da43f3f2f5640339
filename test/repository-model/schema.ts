import { defineSchema, documents, t, table } from '../../packages/holdfast/src/index.ts'

/** Reads may be answered with earlier ones for as long as a run takes: nobody else writes, so none may be out of date. */
export const CACHED_MS = 86_400_000

/** Teams take their people along, people sit on seats, which hold them, and write notes, which refer to them as they please. */
export const schema = defineSchema(
  {
    teams: table({
      id: t.text().primaryKey(),
      name: t.text().nullable().unique(),
      budget: t.decimal(6, 2).default('1.50').check({ gte: '0.00' }),
    }),
    people: table(
      {
        id: t.integer().primaryKey(),
        teamId: t.text().references('teams', { onDelete: 'cascade', onUpdate: 'cascade' }),
        bossId: t.integer().nullable().references('people', { onDelete: 'setNull' }),
        email: t.text().nullable().unique(),
        level: t.enum(['low', 'mid', 'top']).default('mid'),
        points: t.bigint().nullable().check({ lt: 100n }),
        joinedAt: t.timestamp().nullable(),
        about: t.json().nullable(),
      },
      { versioned: true, unique: [['bossId', 'level']], indexes: ['points', ['teamId', 'joinedAt'], 'about.team'] },
    ),
    seats: table(
      {
        row: t.text(),
        number: t.integer(),
        personId: t.integer().nullable().references('people'),
        teamId: t.text().nullable().references('teams', { onDelete: 'cascade', onUpdate: 'setNull' }),
        label: t.text().default(''),
      },
      { primaryKey: ['row', 'number'], unique: [['personId', 'label']], cache: { ttlMs: CACHED_MS } },
    ),
    notes: documents<Record<string, unknown>>({
      unique: ['slug', ['place.row', 'place.number']],
      indexes: ['rank', 'author.id'],
      cache: { ttlMs: CACHED_MS },
    }),
  },
  ({ one, many }) => ({
    teams: { people: many('people', 'teamId'), seats: many('seats', 'teamId'), notes: many('notes', 'author.team') },
    people: {
      team: one('teams', 'teamId'),
      boss: one('people', 'bossId'),
      reports: many('people', 'bossId'),
      seats: many('seats', 'personId'),
      notes: many('notes', 'author.id'),
      favourite: one('teams', 'about.team'),
    },
    seats: { person: one('people', 'personId'), notes: many('notes', ['place.row', 'place.number']) },
    notes: {
      author: one('people', 'author.id'),
      team: one('teams', 'author.team'),
      place: one('seats', ['place.row', 'place.number']),
    },
  }),
)

/** The models of the schema. */
export type Name = 'teams' | 'people' | 'seats' | 'notes'

/** All of them, those before which others refer to first. */
export const MODELS: readonly Name[] = ['teams', 'people', 'seats', 'notes']

/** The fields of a record. */
export type Fields = Readonly<Record<string, unknown>>

/** What happens to those that refer to a record when it goes, or changes its key. */
type Action = 'restrict' | 'cascade' | 'setNull'

/** What the schema says of a model, as plain data. */
export interface Rules {
  readonly key: readonly string[]
  /** The fields that are unique together, besides the key. */
  readonly unique: readonly (readonly string[])[]
  /** What records are given that lack it. */
  readonly defaults: Fields
  readonly checks: Readonly<Record<string, (value: never) => boolean>>
  readonly references: readonly {
    readonly field: string
    readonly to: Name
    readonly onDelete: Action
    readonly onUpdate: Action
  }[]
  readonly versioned: boolean
  readonly relations: Readonly<Record<string, Relation>>
}

/** Which records of which model belong to a record: those whose `foreign` fields equal its `local` ones. */
interface Relation {
  readonly kind: 'one' | 'many'
  readonly to: Name
  readonly local: readonly string[]
  readonly foreign: readonly string[]
}

const one = (to: Name, local: readonly string[], foreign = ['id']): Relation => ({ kind: 'one', to, local, foreign })
const many = (to: Name, foreign: readonly string[], local = ['id']): Relation => ({ kind: 'many', to, local, foreign })
const SEAT = ['row', 'number']
const PLACE = ['place.row', 'place.number']

/** The same schema once more, for a model that is not to rely on how the library reads it. */
export const RULES: Readonly<Record<Name, Rules>> = {
  teams: {
    key: ['id'],
    unique: [['name']],
    defaults: { name: null, budget: '1.50' },
    checks: { budget: (value: string) => Number(value) >= 0 },
    references: [],
    versioned: false,
    relations: {
      people: many('people', ['teamId']),
      seats: many('seats', ['teamId']),
      notes: many('notes', ['author.team']),
    },
  },
  people: {
    key: ['id'],
    unique: [['email'], ['bossId', 'level']],
    defaults: { bossId: null, email: null, level: 'mid', points: null, joinedAt: null, about: null },
    // A bigint has 64 bits.
    checks: { points: (value: bigint) => value < 100n && value >= -(2n ** 63n) },
    references: [
      { field: 'teamId', to: 'teams', onDelete: 'cascade', onUpdate: 'cascade' },
      { field: 'bossId', to: 'people', onDelete: 'setNull', onUpdate: 'restrict' },
    ],
    versioned: true,
    relations: {
      team: one('teams', ['teamId']),
      boss: one('people', ['bossId']),
      reports: many('people', ['bossId']),
      seats: many('seats', ['personId']),
      notes: many('notes', ['author.id']),
      favourite: one('teams', ['about.team']),
    },
  },
  seats: {
    key: SEAT,
    unique: [['personId', 'label']],
    defaults: { personId: null, teamId: null, label: '' },
    checks: {},
    references: [
      { field: 'personId', to: 'people', onDelete: 'restrict', onUpdate: 'restrict' },
      { field: 'teamId', to: 'teams', onDelete: 'cascade', onUpdate: 'setNull' },
    ],
    versioned: false,
    relations: { person: one('people', ['personId']), notes: many('notes', PLACE, SEAT) },
  },
  notes: {
    key: ['id'],
    unique: [['slug'], PLACE],
    defaults: {},
    checks: {},
    references: [],
    versioned: true,
    relations: {
      author: one('people', ['author.id']),
      team: one('teams', ['author.team']),
      place: one('seats', PLACE, SEAT),
    },
  },
}
