import fc from 'fast-check'
import { defineSchema, t, table } from '../../packages/holdfast/src/index.ts'

/** People belong to teams, which take them along, and have bosses, who do not. */
export const schema = defineSchema({
  teams: table({ id: t.text().primaryKey(), name: t.text() }, { history: true }),
  people: table(
    {
      id: t.text().primaryKey(),
      name: t.text().nullable().unique(),
      team: t.text().references('teams', { onDelete: 'cascade' }),
      boss: t.text().nullable().references('people', { onDelete: 'setNull' }),
      runs: t.integer().default(0),
    },
    { history: true, versioned: true, indexes: ['runs'] },
  ),
})

/** The fields of a record that is written. */
export type Fields = Readonly<Record<string, unknown>>

/** A write of one or many records. */
export type Write =
  | { readonly do: 'create' | 'upsert' | 'save'; readonly model: Name; readonly record: Fields }
  | { readonly do: 'createMany'; readonly model: Name; readonly records: readonly Fields[] }
  | { readonly do: 'update'; readonly model: Name; readonly id: string; readonly set: Fields }
  | { readonly do: 'updateMany'; readonly model: Name; readonly ids: readonly string[]; readonly set: Fields }
  | { readonly do: 'count'; readonly atLeast: number; readonly by: number }
  | { readonly do: 'delete'; readonly model: Name; readonly id: string }
  | { readonly do: 'deleteMany'; readonly model: Name; readonly ids: readonly string[] }
  | { readonly do: 'revert'; readonly model: Name; readonly id: string; readonly version: number }

/** What is done in one go: a write, some at once, or a transaction, which may be undone and have others in it. */
export type Step =
  | Write
  | { readonly do: 'at once'; readonly writes: readonly Write[] }
  | { readonly do: 'transaction'; readonly steps: readonly Step[]; readonly commits: boolean }

/** The models that have a history. */
export type Name = 'teams' | 'people'

/** All of them. */
export const MODELS: readonly Name[] = ['teams', 'people']
/** The ids that records have. */
export const IDS: readonly string[] = ['a', 'b', 'c']
const id = fc.constantFrom(...IDS)
const ids = fc.uniqueArray(id, { minLength: 1, maxLength: 3 })
const name = fc.constantFrom('x', 'y', 'z')
const model = fc.constantFrom(...MODELS)
const fieldsOf = {
  teams: { name },
  people: {
    name: fc.option(fc.constantFrom('x', 'y', 'z', 'q', 'r')),
    team: id,
    boss: fc.option(id),
    runs: fc.integer({ min: 0, max: 9 }),
  },
} as const

function recordOf(of: Name): fc.Arbitrary<Fields> {
  return fc.record<Fields>({ id, ...fieldsOf[of] } as never)
}

function setOf(of: Name): fc.Arbitrary<Fields> {
  return fc.record<Fields>(fieldsOf[of] as never, { requiredKeys: [] }).filter((set) => Object.keys(set).length > 0)
}

const write: fc.Arbitrary<Write> = fc.oneof(
  {
    weight: 4,
    arbitrary: ofModel((of) => ({ do: fc.constantFrom('create', 'upsert', 'save'), record: recordOf(of) })),
  },
  ofModel((of) => ({ do: fc.constant('createMany'), records: fc.array(recordOf(of), { minLength: 1, maxLength: 3 }) })),
  { weight: 3, arbitrary: ofModel((of) => ({ do: fc.constant('update'), id, set: setOf(of) })) },
  ofModel((of) => ({ do: fc.constant('updateMany'), ids, set: setOf(of) })),
  fc.record({ do: fc.constant('count' as const), atLeast: fc.nat({ max: 9 }), by: fc.integer({ min: -2, max: 2 }) }),
  ofModel(() => ({ do: fc.constant('delete'), id })),
  ofModel(() => ({ do: fc.constant('deleteMany'), ids })),
  ofModel(() => ({ do: fc.constant('revert'), id, version: fc.integer({ min: 1, max: 4 }) })),
)

function ofModel(parts: (of: Name) => object): fc.Arbitrary<Write> {
  return model.chain((of) => fc.record({ model: fc.constant(of), ...parts(of) } as never) as fc.Arbitrary<Write>)
}

function stepWithin(depth: number): fc.Arbitrary<Step> {
  const atOnce = fc.record({
    do: fc.constant('at once' as const),
    writes: fc.array(write, { minLength: 2, maxLength: 4 }),
  })
  if (depth === 0) return write
  const transaction = fc.record({
    do: fc.constant('transaction' as const),
    steps: fc.array(stepWithin(depth - 1), { minLength: 1, maxLength: 5 }),
    commits: fc.boolean(),
  })
  return fc.oneof({ weight: 5, arbitrary: write }, { weight: depth > 1 ? 1 : 0, arbitrary: atOnce }, transaction)
}

/** There are teams from the beginning, or most of what follows would be refused. */
const beginning: Step = { do: 'createMany', model: 'teams', records: IDS.map((one) => ({ id: one, name: 'x' })) }

/** A run: what is done one after the other. */
export const runs: fc.Arbitrary<readonly Step[]> = fc
  .array(stepWithin(2), { minLength: 3, maxLength: 25 })
  .map((steps) => [beginning, ...steps])
