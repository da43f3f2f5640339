import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomTables, schemaOf } from '../../../../../test/agreement/schemas.ts'
import { testBackends } from '../../../../../test/targets.ts'
import { defineSchema, documents, openStorage, t, table } from '../../index.ts'
import type { Schema } from '../../schema/index.ts'
import { backendOf } from '../../storage/targets.ts'
import { introspect } from './introspect.ts'

const RUNS = Number(process.env['AGREEMENT_RUNS'] ?? 12)

describe.each(testBackends.filter(({ name }) => name !== 'memory'))('a database on $name', ({ fresh }) => {
  it('is read with its collections and the indexes on paths into JSON', { timeout: 120_000 }, async () => {
    const { target, drop } = await fresh()
    const given = defineSchema({
      plans: documents({ indexes: ['status', ['owner.team', 'status']], unique: ['code'] }),
      logs: table({ id: t.id(), content: t.json() }, { indexes: ['content.a.b'] }),
    })
    await (await openStorage(target, { schema: given })).close()
    const backend = (await backendOf(target, {}))({ models: new Map() })
    await backend.open()
    const { text, schema, notes } = await introspect(backend.schema, new Set())
    await backend.close()
    expect(text).toContain("plans: documents({ indexes: [['owner.team', 'status'], ['status']], unique: [['code']] }),")
    expect(notes).toEqual([])
    const storage = await openStorage(target, { schema, autoCreate: false })
    expect((await storage.migrations.verify()).differences).toEqual([])
    await storage.close()
    await drop()
  })

  it('is read into a schema that it fits', { timeout: 600_000 }, async () => {
    // Beside the sources, so that its modules find `holdfast`.
    const folder = mkdtempSync(join(import.meta.dirname, '.snippets-'))
    let written = 0
    try {
      await fc.assert(
        fc.asyncProperty(randomTables, async (tables) => {
          const { target, drop } = await fresh()
          await (await openStorage(target, { schema: schemaOf(tables, 1) })).close()
          const backend = (await backendOf(target, {}))({ models: new Map() })
          await backend.open()
          const { text } = await introspect(backend.schema, new Set())
          await backend.close()
          const file = join(folder, `schema-${++written}.ts`)
          writeFileSync(file, text)
          const { schema } = (await import(file)) as { schema: Schema }
          const storage = await openStorage(target, { schema, autoCreate: false })
          expect(await storage.migrations.verify(), text).toEqual({ ok: true, differences: [] })
          await storage.close()
          await drop()
        }),
        { numRuns: RUNS },
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
