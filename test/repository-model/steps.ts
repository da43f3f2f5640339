import fc from 'fast-check'
import type { Call, Step, Write } from './calls.ts'
import { orderOf, pageQueryOf, queryOf, whereOf } from './queries.ts'
import { KEYS, model, patchOf, recordOf } from './records.ts'
import { type Name, RULES } from './schema.ts'

const version = fc.integer({ min: 1, max: 3 })

type Parts = Readonly<Record<string, fc.Arbitrary<unknown>>>

/** A call of some model. */
function ofModel<C extends Call>(name: C['do'], parts: (of: Name) => Parts): fc.Arbitrary<C> {
  return model.chain((of) => fc.record({ do: fc.constant(name), model: fc.constant(of), ...parts(of) })) as never
}

const create = ofModel<Write>('create', (of) => ({ record: recordOf(of) }))
const createMany = ofModel<Write>('createMany', (of) => ({ records: fc.array(recordOf(of), { maxLength: 4 }) }))
const update = ofModel<Write>('update', (of) => ({
  key: KEYS[of],
  patch: patchOf(of),
  ...(RULES[of].versioned && { ifVersion: fc.option(version, { nil: undefined }) }),
}))
const remove = ofModel<Write>('delete', (of) => ({ key: KEYS[of] }))
const upsert = ofModel<Write>('upsert', (of) => ({
  record: recordOf(of),
  on: fc.constantFrom(undefined, RULES[of].key, ...RULES[of].unique),
  update: fc.option(patchOf(of), { nil: undefined }),
}))
const save = ofModel<Write>('save', (of) => ({
  record: recordOf(of).map(({ version: _, ...record }) => record),
  ...(RULES[of].versioned && { version: fc.option(version, { nil: undefined }) }),
}))

const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 4, arbitrary: create },
  { weight: 2, arbitrary: createMany },
  { weight: 2, arbitrary: save },
  { weight: 4, arbitrary: upsert },
  { weight: 4, arbitrary: update },
  {
    weight: 2,
    arbitrary: ofModel<Write>('updateMany', (of) => ({ where: whereOf(of), patch: patchOf(of, true) })),
  },
  { weight: 2, arbitrary: remove },
  { weight: 1, arbitrary: ofModel<Write>('deleteMany', (of) => ({ where: whereOf(of) })) },
)

const read: fc.Arbitrary<Call> = fc.oneof(
  { weight: 4, arbitrary: ofModel<Call>('find', (of) => ({ query: queryOf(of) })) },
  ofModel<Call>('findOne', (of) => ({
    query: fc.record({ where: whereOf(of), orderBy: orderOf(of) }),
  })),
  ofModel<Call>('stream', (of) => ({
    query: queryOf(of).map(({ cache: _, ...query }) => query),
    meanwhile: fc.option(write, { nil: undefined }),
  })),
  ofModel<Call>('pages', (of) => ({ query: pageQueryOf(of), first: fc.integer({ min: 1, max: 3 }) })),
  ofModel<Call>('getById', (of) => ({ key: KEYS[of] })),
  ofModel<Call>('exists', (of) => ({ key: KEYS[of] })),
  ofModel<Call>('findByIds', (of) => ({ keys: fc.array(KEYS[of], { maxLength: 5 }) })),
  ofModel<Call>('count', (of) => ({ where: whereOf(of) })),
)

const call: fc.Arbitrary<Call> = fc.oneof({ weight: 3, arbitrary: write }, { weight: 2, arbitrary: read })
const batch: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('batch'),
  operations: fc.array(fc.oneof(create, createMany, update, remove), { minLength: 1, maxLength: 4 }),
})

function stepWithin(depth: number): fc.Arbitrary<Step> {
  if (depth === 0) return call
  const transaction: fc.Arbitrary<Step> = fc.record({
    do: fc.constant('transaction'),
    steps: fc.array(stepWithin(depth - 1), { minLength: 1, maxLength: 5 }),
    commits: fc.boolean(),
    swallows: fc.boolean(),
  })
  const choices = [
    { weight: 8, arbitrary: call },
    { weight: 2, arbitrary: transaction },
  ]
  // A batch is a transaction of its own.
  return fc.oneof(...choices, ...(depth === DEPTH ? [{ weight: 1, arbitrary: batch }] : []))
}

/** Transactions in transactions. */
const DEPTH = 3

/** There is something from the beginning, or most of what follows would be refused. */
const beginning: readonly Step[] = [
  { do: 'createMany', model: 'teams', records: ['a', 'b', 'c'].map((id) => ({ id })) },
  { do: 'createMany', model: 'people', records: [1, 2, 3].map((id) => ({ id, teamId: id === 3 ? 'b' : 'a' })) },
]

/** A run: what is done one after the other. */
export const runs: fc.Arbitrary<readonly Step[]> = fc
  .array(stepWithin(DEPTH), { minLength: 1, maxLength: 25, size: 'max' })
  .map((steps) => [...beginning, ...steps])
