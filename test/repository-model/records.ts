import fc from 'fast-check'
import type { Key, Patch } from './calls.ts'
import { type Fields, MODELS, type Name } from './schema.ts'

/** One of the models. */
export const model: fc.Arbitrary<Name> = fc.constantFrom(...MODELS)

const teamId = fc.constantFrom('a', 'b', 'c')
const personId = fc.integer({ min: 1, max: 5 })
const row = fc.constantFrom('A', '\u{1F600}', '\uFB01')
const number = fc.integer({ min: 1, max: 2 })
const noteId = fc.constantFrom('p', 'q', 'r', 's')
const name = fc.constantFrom('kim', 'lee', 'Kim', '', '%')
/** Objects come back as plain ones, whatever they were. */
function record(
  parts: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  requiredKeys: readonly string[] = Object.keys(parts),
): fc.Arbitrary<Fields> {
  return fc.record<Fields>(parts as never, { requiredKeys: requiredKeys as never, noNullPrototype: true })
}

const author = fc.oneof(
  record({ id: personId, team: teamId }, []),
  fc.constantFrom(null, 3, [1], { id: '1' }, { id: 1.5, team: 1 }, { id: null }, { id: [1] }),
)

/** The keys of each model. */
export const KEYS: Readonly<Record<Name, fc.Arbitrary<Key>>> = {
  teams: teamId,
  people: personId,
  seats: record({ row, number }),
  notes: noteId,
}

/** What the fields of each model may hold, without the key. */
const FIELDS: Readonly<Record<Name, Readonly<Record<string, fc.Arbitrary<unknown>>>>> = {
  teams: {
    name: fc.option(name),
    budget: fc.constantFrom('0', '0.50', '12.5', '9.00', '-1'),
  },
  people: {
    teamId,
    bossId: fc.option(personId, { freq: 2 }),
    email: fc.option(fc.constantFrom('k@x', 'l@x', 'm@x', 'n@x')),
    level: fc.constantFrom('low', 'mid', 'top'),
    points: fc.option(fc.constantFrom(-(2n ** 63n), -1n, 7n, 12n, 99n, 100n)),
    joinedAt: fc.option(fc.constantFrom(-1, 0, 1_700_000_000_000).map((ms) => new Date(ms))),
    about: fc.option(fc.oneof(record({ team: teamId }), fc.constantFrom({ team: null }, { team: 1 }, 'text', [1]))),
  },
  seats: {
    personId: fc.option(personId, { freq: 2 }),
    teamId: fc.option(teamId, { freq: 2 }),
    label: fc.constantFrom('', 'x'),
  },
  notes: {
    slug: fc.option(fc.constantFrom('1', 'x', 'y', 1, true)),
    rank: fc.constantFrom(null, 0, 1, 2.5, -3, '2', true, [1, 'x'], { deep: 1 }),
    author,
    place: fc.oneof(record({ row, number }), fc.constantFrom(null, { row: 'A' }, { row: 'A', number: '1' }, 'A')),
    tags: fc.subarray(['x', 'y', 1]),
  },
}

/** What records cannot be made without. */
const REQUIRED: Readonly<Record<Name, readonly string[]>> = { teams: [], people: ['teamId'], seats: [], notes: [] }

/** What numbers may be added to which fields. */
const ADDED: Readonly<Record<Name, fc.Arbitrary<Fields>>> = {
  teams: fc.constantFrom('0.05', '-1').map((by) => ({ budget: by })),
  people: fc.constantFrom(1n, -2n).map((by) => ({ points: by })),
  seats: fc.constant({}),
  notes: fc.constantFrom(1, -0.5).map((by) => ({ rank: by })),
}

/** What a call is refused for: who writes does not say what the version is. */
const refused = fc.oneof(
  { weight: 29, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant({ version: 7 }) },
)

/** A record as it is given to `create` and its kin, with its key. */
export function recordOf(of: Name): fc.Arbitrary<Fields> {
  return fc
    .tuple(keyFields(of), record(FIELDS[of], REQUIRED[of]), refused)
    .map(([key, fields, wrong]) => ({ ...key, ...fields, ...wrong }))
}

function keyFields(of: Name): fc.Arbitrary<Fields> {
  return of === 'seats' ? (KEYS.seats as fc.Arbitrary<Fields>) : KEYS[of].map((id) => ({ id }))
}

/** A change of some fields; sometimes of the key, where it may change. */
export function patchOf(of: Name, ofMany = false): fc.Arbitrary<Patch> {
  const fields = record(FIELDS[of], [])
  const some = fc.tuple(fields, fc.nat(2)).map(([set, most]) => Object.fromEntries(Object.entries(set).slice(0, most)))
  const key = of === 'notes' || ofMany ? fc.constant({}) : fc.option(keyFields(of), { freq: 1, nil: {} })
  const plain = fc.tuple(some, key, refused).map(([set, keys, wrong]) => ({ set: { ...set, ...keys, ...wrong } }))
  const adding = ADDED[of].map((add) => ({ set: { email: undefined }, add }))
  return fc.oneof({ weight: 3, arbitrary: plain }, { weight: 1, arbitrary: of === 'people' ? adding : onlyAdding(of) })
}

function onlyAdding(of: Name): fc.Arbitrary<Patch> {
  return ADDED[of].map((add) => ({ set: {}, add }))
}

/** What can be asked of a model: fields and paths, with what may stand there. */
export const ASKED: Readonly<Record<Name, Readonly<Record<string, fc.Arbitrary<unknown>>>>> = {
  teams: { id: teamId, ...FIELDS.teams, name },
  people: {
    id: personId,
    teamId,
    bossId: personId,
    email: fc.constantFrom('k@x', 'l@x', 'x'),
    level: FIELDS.people['level'] as fc.Arbitrary<unknown>,
    points: fc.constantFrom(-1n, 7n, 12n),
    joinedAt: fc.constant(new Date(0)),
    'about.team': fc.oneof(teamId, fc.constant(1)),
    version: fc.integer({ min: 1, max: 3 }),
  },
  seats: { row, number, personId, teamId, label: fc.constantFrom('', 'x') },
  notes: {
    id: noteId,
    slug: fc.constantFrom('1', 'x', 1, true),
    rank: fc.constantFrom(0, 1, 2.5, '2', true),
    'author.id': fc.oneof(personId, fc.constantFrom('1', 1.5)),
    'author.team': teamId,
    'place.row': row,
    version: fc.integer({ min: 1, max: 3 }),
  },
}
