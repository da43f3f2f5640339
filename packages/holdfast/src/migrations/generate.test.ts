import { describe, expect, it } from 'vitest'
import { testBackends } from '../../../../test/targets.ts'
import { defineSchema, documents, type Schema, t, table } from '../schema/index.ts'
import { openStorage } from '../storage/index.ts'
import { generateMigration, readRenames, renameQuestions } from './generate.ts'
import type { Migration } from './migration.ts'

const dues = { id: t.id(), owner: t.text(), dueAt: t.timestamp().nullable() }
const before = defineSchema({
  dues: table(dues, { indexes: ['dueAt', ['owner', 'dueAt']] }),
  plans: documents({ indexes: ['status'] }),
})
const after = defineSchema({
  dues: table(
    { ...dues, quote: t.text().default('it\'s\n"x" \\').check({ ne: 'a' }), at: t.timestamp().default(new Date(5)) },
    { indexes: ['dueAt', ['owner', 'dueAt']], sparse: ['dueAt'], checks: [{ or: [{ owner: 'x' }, { dueAt: null }] }] },
  ),
  plans: documents({ indexes: ['owner.team'], unique: ['status'] }),
})

/** The migration as the file says it, without the file. */
function migrationOf(name: string, migrations: readonly Migration[], schema: Schema): Migration {
  const text = generateMigration(name, migrations, schema)?.text ?? ''
  const body = text.slice(text.indexOf('= {') + 2, text.indexOf('\nexport default'))
  return new Function('t', `return ${body}`)(t) as Migration
}

describe.each(testBackends)('generated migrations on $name', ({ fresh }) => {
  it('lead from one schema to another and back, as their files say', async () => {
    const { target, drop } = await fresh()
    const first = migrationOf('1', [], before)
    const second = migrationOf('2', [first], after)
    expect(generateMigration('3', [first, second], after)).toBeNull()
    const storage = await openStorage(target, {
      schema: after,
      migrations: [first, second],
      autoCreate: false,
      autoMigrate: true,
    })
    expect(await storage.migrations.verify()).toEqual({ ok: true, differences: [] })
    await storage.migrations.rollback()
    expect((await storage.migrations.verify()).ok).toBe(false)
    await storage.migrations.apply()
    expect(await storage.migrations.verify()).toEqual({ ok: true, differences: [] })
    await storage.close()
    await drop()
  })
})

describe('renames', () => {
  const renamed = defineSchema({ debts: table({ id: t.id(), holder: t.text() }), plans: documents() })

  it('are asked for where something is gone and something new, and read as they are written', () => {
    const first = migrationOf('1', [], before)
    expect(renameQuestions([first], renamed)).toEqual([{ kind: 'table', before: 'dues', candidates: ['debts'] }])
    const renames = readRenames(['dues:debts', 'debts.owner:holder'])
    const { up = [], down = [] } = generateMigration('2', [first], renamed, renames) ?? {}
    expect(up.slice(0, 2)).toEqual([
      { kind: 'renameTable', table: 'dues', to: 'debts' },
      { kind: 'renameColumn', table: 'debts', column: 'owner', to: 'holder' },
    ])
    expect(down.slice(0, 2)).toEqual([
      { kind: 'renameTable', table: 'debts', to: 'dues' },
      { kind: 'renameColumn', table: 'dues', column: 'holder', to: 'owner' },
    ])
    expect(() => readRenames(['nonsense'])).toThrow('cannot be read')
    expect(() => generateMigration('2', [first], renamed, readRenames(['none:debts']))).toThrow(
      'no migration made a table none',
    )
  })
})
