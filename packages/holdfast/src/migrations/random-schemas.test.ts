import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeTables, type RandomField, randomTables, schemaOf } from '../../../../test/agreement/schemas.ts'
import { testBackends } from '../../../../test/targets.ts'
import type { Backend } from '../backend/index.ts'
import { systemClock } from '../base/clock.ts'
import { isHoldfastError } from '../base/errors.ts'
import { Repository } from '../repository/index.ts'
import type { Model, Schema } from '../schema/index.ts'
import { RootSession } from '../storage/root-session.ts'
import { backendOf } from '../storage/targets.ts'
import { diff, stateOf } from './diff.ts'
import { beside } from './generate.ts'
import { type Migration, Migrations, migrationModels } from './index.ts'
import { NOTHING, type SchemaState } from './schema-state.ts'

const RUNS = Number(process.env['AGREEMENT_RUNS'] ?? 25)

/** A migration from one state to another, in the steps that the difference gives. */
function between(name: string, from: SchemaState, to: SchemaState): Migration {
  return {
    name,
    up: (m) => void m.steps.push(...beside(from, diff(from, to))),
    down: (m) => void m.steps.push(...diff(to, from)),
  }
}

describe.each(testBackends)('random schemas on $name', ({ fresh }) => {
  let backend: Backend
  const models = new Map<string, Model>()

  /** The backend with the models of a schema, as a storage that is opened anew has them. */
  function openWith(schema: Schema): { session: RootSession; migrations: Migrations } {
    models.clear()
    for (const model of [...schema.models.values(), ...migrationModels]) models.set(model.name, model)
    const session = new RootSession(backend, models, systemClock)
    const declared = [...schema.models.values()]
    const host = {
      session,
      schema: backend.schema,
      declared,
      features: [],
      withModel: <T>(model: Model, work: () => Promise<T>): Promise<T> => {
        models.set(model.name, model)
        return work().finally(() => models.delete(model.name))
      },
      alter: session.alter.bind(session) as never,
    }
    return { session, migrations: new Migrations(host) }
  }

  it('are reached, and left again with every row as it was', { timeout: 600_000 }, async () => {
    const pairs = fc.tuple(randomTables, randomTables).chain(([before, after]) =>
      fc.record({
        before: fc.constant(before),
        after: fc.constant(after),
        rows: fc.tuple(...describeTables(before).map(({ fields }) => fc.array(recordOf(fields), { maxLength: 4 }))),
      }),
    )
    await fc.assert(
      fc.asyncProperty(pairs, async ({ before, after, rows }) => {
        const place = await fresh()
        backend = (await backendOf(place.target, {}))({ models })
        await backend.open()
        try {
          const [first, second] = [schemaOf(before, 1), schemaOf(after, 1)]
          const steps = [
            between('1_first', NOTHING, stateOf(first)),
            between('2_second', stateOf(first), stateOf(second)),
          ]
          const at = openWith(first)
          at.migrations.register(steps)
          await at.migrations.apply({ to: '1_first' })
          expect(await at.migrations.verify()).toEqual({ ok: true, differences: [] })
          for (const [nth, { name }] of describeTables(before).entries()) {
            const model = first.models.get(`${name}1`) as Model
            for (const row of rows[nth] ?? []) await attempt(() => new Repository(at.session, model).create(row))
          }
          const stored = await contents(at.session, first)
          const failure = await attempt(() => at.migrations.apply())
          if (failure === undefined) {
            const there = openWith(second)
            expect(await there.migrations.verify()).toEqual({ ok: true, differences: [] })
            there.migrations.register(steps)
            await there.migrations.rollback()
          }
          if (failure !== undefined && keepsParts(failure, backend)) {
            // What is in the way is taken out of it, and the migration goes on from where it was.
            for (const { table } of first.models.values())
              await backend.sql?.(`truncate "${table.replaceAll('"', '""')}" cascade`, [])
            const corrected = openWith(first)
            corrected.migrations.register(steps)
            await corrected.migrations.apply()
            expect(await openWith(second).migrations.verify()).toEqual({ ok: true, differences: [] })
          } else {
            const again = openWith(first)
            again.migrations.register(steps)
            expect(await again.migrations.verify()).toEqual({ ok: true, differences: [] })
            expect(await contents(again.session, first)).toEqual(stored)
            await again.migrations.rollback({ to: null })
            expect((await backend.schema.inspect()).map(({ name }) => name).sort()).toEqual(
              migrationModels.map(({ table }) => table).sort(),
            )
          }
        } finally {
          // Also after a failure: many more runs then look for the smallest schemas with which it comes.
          await backend.close()
          await place.drop()
        }
      }),
      { numRuns: RUNS },
    )
  })
})

function recordOf(fields: readonly RandomField[]): fc.Arbitrary<object> {
  return fc.record(
    Object.fromEntries(
      fields.map(({ name, values, nullable }) => [name, nullable ? fc.option(values, { freq: 3 }) : values]),
    ),
    { requiredKeys: fields.filter(({ optional }) => !optional).map(({ name }) => name) },
  )
}

/** Whether what came before the step that failed stays done, since others could write meanwhile: the error says so. */
function keepsParts(failure: unknown, { schema }: Backend): boolean {
  return schema.alterConcurrently !== undefined && /stays done/.test((failure as { readonly hint: string }).hint)
}

async function contents(session: RootSession, schema: Schema): Promise<unknown> {
  const all = [...schema.models.values()].map((model) => new Repository(session, model).find())
  return Promise.all(all)
}

/** What a call fails with, if it fails as it may: some rows break a rule of their own table or of the one to come. */
async function attempt(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await call()
    return undefined
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    const { code } = error
    if (/^(CONFLICT|CONSTRAINT)_/.test(code)) return error
    const cause = error.cause as { readonly code?: string } | undefined
    if (code === 'MIGRATION' && /^(CONFLICT|CONSTRAINT)_/.test(cause?.code ?? '')) return error
    throw error
  }
}
