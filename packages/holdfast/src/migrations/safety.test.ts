import { describe, expect, it } from 'vitest'
import { defineSchema, t, table } from '../schema/index.ts'
import { stateOf } from './diff.ts'
import { generateMigration } from './generate.ts'
import { MigrationSteps } from './recorder.ts'
import { warningsOf } from './safety.ts'

const columns = { id: t.id(), name: t.text().nullable(), teamId: t.text().nullable() }
const before = stateOf(defineSchema({ users: table(columns) }))

function warned(note: (m: MigrationSteps) => void): string[] {
  const m = new MigrationSteps()
  note(m)
  return warningsOf(before, m.steps).map(({ step, kind, instead }) => `${step} ${kind}: ${instead}`)
}

describe('what to know of steps', () => {
  it('is which lock a table, with the way that does not', () => {
    expect(
      warned((m) => {
        m.createIndex('users', ['name'])
        m.addCheck('users', { name: { ne: '' } })
        m.addColumn('users', 'email', t.text().nullable().unique())
      }),
    ).toEqual([
      expect.stringMatching(/^1 locks: .*\{ concurrently: true \}/),
      expect.stringMatching(/^2 locks: .*\{ concurrently: true \}/),
      expect.stringMatching(/^3 locks: .*unique: true, concurrently: true/),
    ])
  })

  it('is nothing where others go on, or nobody can use the table yet', () => {
    expect(
      warned((m) => {
        m.createIndex('users', ['name'], { concurrently: true })
        m.createTable('teams', { id: t.id(), name: t.text() })
        m.createIndex('teams', ['name'])
        m.addForeignKey('users', 'teamId', { model: 'teams', concurrently: true })
        m.addCheck('users', { name: { ne: '' } }, { concurrently: true })
      }),
    ).toEqual([])
  })
})

describe('a generated migration', () => {
  it('lets others go on beside steps on tables that were there', () => {
    const create = { name: '1', up: (m: MigrationSteps) => m.createTable('users', columns) }
    const after = defineSchema({
      teams: table({ id: t.id(), name: t.text() }, { indexes: ['name'] }),
      users: table(
        { id: t.id(), name: t.text(), teamId: t.text().nullable().references('teams') },
        { indexes: ['teamId'], checks: [{ name: { ne: '' } }] },
      ),
    })
    const { up = [], text = '' } = generateMigration('2', [create], after) ?? {}
    expect(up.filter((step) => 'concurrently' in step).map(({ kind }) => kind)).toEqual([
      'alterColumn',
      'createIndex',
      'addCheck',
      'addForeignKey',
    ])
    expect(text).toContain("m.alterColumn('users', 'name', t.text(), { concurrently: true })")
    expect(text).toContain("m.addForeignKey('users', 'teamId', { model: 'teams', concurrently: true })")
    expect(text).toContain(
      "m.createTable('teams', {\n      id: t.id(),\n      name: t.text(),\n    }, { indexes: ['name'] })",
    )
  })
})
