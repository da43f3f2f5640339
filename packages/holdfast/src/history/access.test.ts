import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defineSchema, increment, openStorage, type Storage, t, table } from '../index.ts'
import { accessOf, describeAccess, type Statement } from '../statement/index.ts'

const schema = defineSchema({
  plans: table(
    { id: t.text().primaryKey(), name: t.text(), runs: t.integer().default(0) },
    { history: { keepMs: 1_000 }, indexes: ['name'] },
  ),
  pairs: table({ a: t.integer(), b: t.text(), n: t.integer() }, { primaryKey: ['a', 'b'], history: true }),
})

describe('what history and audit ask of their tables', () => {
  let storage: Storage<typeof schema>
  let asked: Statement[]

  beforeEach(async () => {
    storage = await openStorage('memory:', { schema })
    asked = []
    storage.onStatement((statement) => asked.push(statement))
  })

  afterEach(() => storage.close())

  /** How the tables of a feature are read, each way once. */
  function ways(name: string): string[] {
    const read = asked.filter((statement) => statement.kind !== 'insert' && statement.model.includes(name))
    return [...new Set(read.map((statement) => describeAccess(accessOf(statement as never, storage.models))))]
  }

  it('goes through no whole history, however it is read', async () => {
    const plans = storage.repository('plans')
    await plans.create({ id: 'a', name: 'x' })
    await plans.update('a', { runs: increment(1) })
    await plans.history('a')
    await plans.revert('a', 1)
    const now = new Date()
    await plans.asOf(now).findById('a')
    await plans.asOf(now).find({ where: { name: 'x' } })
    await plans.asOf(now).page({ first: 10 })
    await plans.pruneHistory(new Date(0))
    for await (const { cursor } of plans.watch({ name: 'x' }, { after: null })) if (cursor === '3') break
    const pairs = storage.repository('pairs')
    await pairs.create({ a: 1, b: 'x', n: 1 })
    await pairs.update({ a: 1, b: 'x' }, { n: 2 })
    await pairs.history({ a: 1, b: 'x' })
    // A page of all records walks them by their key.
    expect(ways('History').filter((way) => way.startsWith('scan') || way.includes('sorted'))).toEqual([
      'scan plans_history_id_historyTo_index (ordered)',
    ])
  })

  it('finds audit records that are not sealed without looking at those that are', async () => {
    await storage.audit.record({ event: 'a' })
    await storage.audit.verify()
    await storage.audit.find({ where: { event: 'a' }, orderBy: { at: 'asc' } })
    const unsealed = ways('holdfastAudit').filter((way) => way.startsWith('index'))
    expect(unsealed).toContain('index holdfast_audit_sequence_id_index (1 equal, ordered)')
    expect(unsealed.filter((way) => way.includes('sorted'))).toEqual([])
  })
})
