import assert from 'node:assert/strict'
import { defineSchema, t, table } from '../../../schema/index.ts'
import type { Storage } from '../../../storage/index.ts'
import { collect, pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({ users: table({ id: t.text().primaryKey() }) })

type Opened = Storage<typeof schema>

/** The log's own table, as somebody with another tool has it. */
function byHand(storage: Opened) {
  return storage.repository<{ sequence: number | null; actor: string; event: string }>('holdfastAudit')
}

/** The end of the chain, as somebody with another tool has it. */
function headByHand(storage: Opened) {
  return storage.repository<{ count: number; digest: string }>('holdfastAuditHeads')
}

/** A storage whose log holds sealed records `e1` to `e<n>`; gives their ids too. */
async function openWith(open: Parameters<ConformanceCase['run']>[0]['open'], n: number) {
  const storage = await open(schema)
  for (let i = 1; i <= n; i++) await storage.audit.record({ event: `e${i}`, actor: `a${i}`, data: { i } })
  assert.deepEqual(await problems(storage), [])
  return { storage, ids: pick(await storage.audit.find({ orderBy: { sequence: 'asc' } }), 'id') }
}

/** What an examination finds, as `kind sequence`. */
async function problems(storage: Opened): Promise<string[]> {
  const report = await storage.audit.verify()
  assert.equal(report.ok, report.problems.length === 0)
  return report.problems.map(({ kind, sequence }) => `${kind} ${sequence}`)
}

export const auditCases: readonly ConformanceCase[] = [
  {
    id: 'audit/record',
    title: 'An audit record is kept with all that was said of it, and is found by any of it',
    async run({ open }) {
      const time = { now: Date.parse('2026-03-01T10:00:00Z') }
      const storage = await open(schema, { clock: { now: () => time.now } })
      const first = await storage.audit.record({
        actor: 'kim',
        event: 'login',
        data: { device: 'phone', tries: [1, 2] },
        success: false,
        ip: '203.0.113.7',
      })
      time.now += 1_000
      await storage.audit.record({ event: 'started' })
      await storage.audit.record({ actor: 7, event: 'login' })
      const all = await storage.audit.find()
      assert.deepEqual(pick(all, 'event'), ['login', 'started', 'login'])
      const [stored] = all
      assert.deepEqual(
        { ...stored, sequence: null },
        {
          id: first.id,
          sequence: null,
          at: new Date('2026-03-01T10:00:00Z'),
          actor: 'kim',
          event: 'login',
          data: { device: 'phone', tries: [1, 2] },
          success: false,
          ip: '203.0.113.7',
        },
      )
      assert.deepEqual({ ...stored, sequence: null }, { ...first, sequence: null })
      const { actor, data, success, ip } = all[1] as (typeof all)[0]
      assert.deepEqual({ actor, data, success, ip }, { actor: null, data: null, success: true, ip: null })
      assert.deepEqual(pick(await storage.audit.find({ where: { event: 'login' } }), 'actor'), ['kim', '7'])
      assert.deepEqual(pick(await storage.audit.find({ where: { 'data.device': 'phone' } }), 'actor'), ['kim'])
      assert.equal(await storage.audit.count({ at: { gt: new Date('2026-03-01T10:00:00Z') } }), 2)
      assert.deepEqual(await storage.audit.find({ select: ['event'], where: { success: false } }), [{ event: 'login' }])
      const page = await storage.audit.page({ first: 2 })
      assert.equal(page.items.length, 2)
      assert.equal((await storage.audit.page({ first: 2, after: page.next })).items.length, 1)
    },
  },
  {
    id: 'audit/transaction',
    title: 'A record made in a transaction is kept exactly when the transaction commits',
    async run({ open }) {
      const storage = await open(schema)
      const failing = storage.transaction(async (tx) => {
        await tx.audit.record({ event: 'undone' })
        throw new Error('mine')
      })
      await assert.rejects(failing, /mine/)
      await storage.transaction(async (tx) => {
        await tx.repository('users').create({ id: 'u' })
        await tx.audit.record({ event: 'created' })
        assert.deepEqual(pick(await tx.audit.find(), 'event'), ['created'])
      })
      assert.deepEqual(pick(await storage.audit.find(), 'event'), ['created'])
      assert.deepEqual(await problems(storage), [])
    },
  },
  {
    id: 'audit/actor',
    title: 'What is recorded on behalf of somebody carries the name, in transactions and savepoints too',
    async run({ open }) {
      const storage = await open(schema)
      const kim = storage.as('kim')
      await kim.audit.record({ event: 'alone' })
      await kim.transaction(async (tx) => {
        await tx.audit.record({ event: 'in a transaction' })
        await tx.transaction((inner) => inner.audit.record({ event: 'in a savepoint' }))
        await tx.audit.record({ event: 'told', actor: 'lee' })
      })
      await storage.as(7).audit.record({ event: 'by number' })
      await storage.audit.record({ event: 'by nobody' })
      await kim.repository('users').create({ id: 'u' })
      assert.deepEqual(pick(await storage.audit.find(), 'actor'), ['kim', 'kim', 'kim', 'lee', '7', null])
      for (const actor of ['', null, undefined, {}, 'a\0b'])
        await refused(() => storage.as(wrong(actor)), { code: 'VALIDATION', paths: ['actor'] })
    },
  },
  {
    id: 'audit/chain',
    title: 'Records of many callers and transactions at once form one chain without a gap',
    async run({ open, traits }) {
      const storage = await open(schema)
      const other = traits.sharedBetweenProcesses ? await open(schema) : storage
      await storage.audit.record({ event: 'first' })
      const callers = Array.from({ length: 40 }, async (_, n) => {
        const here = n % 2 === 0 ? storage : other
        if (n % 4 < 2) await here.audit.record({ event: 'alone' })
        else
          await here.transaction(async (tx) => {
            await tx.repository('users').create({ id: String(n) })
            await tx.audit.record({ event: 'together', data: { n } })
          })
        if (n % 8 === 0) assert.deepEqual(await problems(here), [])
      })
      await Promise.all(callers)
      const report = await storage.audit.verify()
      assert.deepEqual([report.ok, report.count], [true, 41])
      const sealed = await storage.audit.find({ orderBy: { sequence: 'asc' } })
      assert.deepEqual(
        pick(sealed, 'sequence'),
        Array.from({ length: 41 }, (_, n) => n + 1),
      )
    },
  },
  {
    id: 'audit/edited',
    title: 'A record that was edited by hand is found, whichever of its fields it was',
    async run({ open }) {
      const changes: Record<string, unknown> = {
        at: new Date(0),
        actor: 'somebody else',
        event: 'other',
        data: { i: 3 },
        success: false,
        ip: '203.0.113.7',
        content: '0'.repeat(64),
        salt: '00',
      }
      const { storage, ids } = await openWith(open, 3)
      for (const [field, value] of Object.entries(changes)) {
        const before = await byHand(storage).getById(ids[1] as string)
        await byHand(storage).update(ids[1] as string, wrong({ [field]: value }))
        assert.deepEqual([...new Set(await problems(storage))], ['changed 2'], field)
        await byHand(storage).update(
          ids[1] as string,
          wrong({ [field]: (before as object as Record<string, unknown>)[field] }),
        )
        assert.deepEqual(await problems(storage), [])
      }
      // With a digest of its own the record fits, and the next one does not.
      await byHand(storage).update(ids[1] as string, wrong({ digest: 'f'.repeat(64) }))
      assert.deepEqual(await problems(storage), ['changed 2', 'changed 3'])
    },
  },
  {
    id: 'audit/emptied',
    title: 'A record whose content was taken out by hand is found',
    async run({ open }) {
      const { storage, ids } = await openWith(open, 3)
      await byHand(storage).update(ids[1] as string, wrong({ actor: null, data: null, ip: null, salt: null }))
      assert.deepEqual(await problems(storage), ['changed 2'])
    },
  },
  {
    id: 'audit/deleted',
    title: 'Records that were deleted by hand are missed, at the end of the chain too, and after others were added',
    async run({ open }) {
      const { storage, ids } = await openWith(open, 6)
      await byHand(storage).delete(ids[1] as string)
      await byHand(storage).delete(ids[2] as string)
      assert.deepEqual(await problems(storage), ['missing 2'])
      await byHand(storage).delete(ids[5] as string)
      assert.deepEqual(await problems(storage), ['missing 2', 'missing 6'])
      await storage.audit.record({ event: 'later' })
      assert.deepEqual(await problems(storage), ['missing 2', 'missing 6'])
      await byHand(storage).deleteMany({})
      assert.deepEqual(await problems(storage), ['missing 1'])
    },
  },
  {
    id: 'audit/moved',
    title: 'Records that changed places are found, at the end of the chain too, and one that was taken out of it',
    async run({ open }) {
      const { storage, ids } = await openWith(open, 4)
      const [, , third, fourth] = ids as [string, string, string, string]
      await byHand(storage).update(third, { sequence: 4 })
      await byHand(storage).update(fourth, { sequence: 3 })
      assert.deepEqual(await problems(storage), ['changed 3', 'changed 4', 'head 4'])
      await byHand(storage).update(third, { sequence: 3 })
      await byHand(storage).update(fourth, { sequence: 4 })
      assert.deepEqual(await problems(storage), [])
      // It is sealed once more, at the end; its old place stays empty.
      await byHand(storage).update(third, { sequence: null })
      assert.deepEqual(await problems(storage), ['missing 3'])
    },
  },
  {
    id: 'audit/added',
    title: 'A record that was put into the chain by hand is found, and so is a head that was set back or lost',
    async run({ open }) {
      const { storage, ids } = await openWith(open, 3)
      const last = await byHand(storage).getById(ids[2] as string)
      await byHand(storage).create({ ...last, id: 'copy' })
      assert.deepEqual(await problems(storage), ['added 3'])
      await byHand(storage).update('copy', { sequence: 4 })
      assert.deepEqual(await problems(storage), ['changed 4', 'head 3'])
      await byHand(storage).delete('copy')
      assert.deepEqual(await problems(storage), [])
      await headByHand(storage).updateMany({}, { count: 2 })
      assert.deepEqual(await problems(storage), ['head 2'])
      await headByHand(storage).deleteMany({})
      await storage.audit.record({ event: 'later' })
      assert.deepEqual(await problems(storage), ['head 0'])
    },
  },
  {
    id: 'audit/anchor',
    title:
      'A chain that was cut off together with its head, or made anew, is found by an anchor that was kept elsewhere',
    async run({ open }) {
      const { storage, ids } = await openWith(open, 3)
      const anchor = await storage.audit.verify()
      const second = (await byHand(storage).getById(ids[1] as string)) as unknown as { digest: string }
      await byHand(storage).delete(ids[2] as string)
      await headByHand(storage).updateMany({}, { count: 2, digest: second.digest })
      assert.equal((await storage.audit.verify()).ok, true)
      const report = await storage.audit.verify(anchor)
      assert.deepEqual(
        report.problems.map(({ kind, sequence }) => `${kind} ${sequence}`),
        ['head 3'],
      )
      await storage.audit.record({ event: 'another third' })
      assert.equal((await storage.audit.verify(anchor)).ok, false)
      const { count, digest } = await storage.audit.verify()
      await storage.audit.record({ event: 'later' })
      assert.equal((await storage.audit.verify({ count, digest })).ok, true)
    },
  },
  {
    id: 'audit/redacted',
    title: 'Named fields are replaced before a record is written, at any depth and in any case, paths from the top',
    async run({ open }) {
      const storage = await open(schema, { audit: { redact: ['password', 'card.number'] } })
      const data = {
        Password: 'a',
        user: { password: { old: 'b' }, list: [{ PASSWORD: 'c', n: 1 }] },
        card: { number: '4', name: 'kim' },
        other: { card: { number: '5' } },
      }
      const expected = {
        Password: '[redacted]',
        user: { password: '[redacted]', list: [{ PASSWORD: '[redacted]', n: 1 }] },
        card: { number: '[redacted]', name: 'kim' },
        other: { card: { number: '5' } },
      }
      const made = await storage.audit.record({ event: 'changed', data })
      assert.deepEqual(made.data, expected)
      assert.deepEqual(pick(await storage.audit.find(), 'data'), [expected])
      assert.equal(data.user.list[0]?.PASSWORD, 'c')
      await refused(() => open(schema, { audit: { redact: wrong('password') } }), 'CONFIGURATION')
      await refused(() => open(schema, { audit: wrong({ redacted: ['password'] }) }), 'CONFIGURATION')
    },
  },
  {
    id: 'audit/erased',
    title: 'What is personal can be erased from records; the chain stays valid and tells of it',
    async run({ open }) {
      const { storage } = await openWith(open, 3)
      const anchor = await storage.audit.verify()
      assert.equal(await storage.as('dpo').audit.erase({ actor: 'a2' }, 'asked to be forgotten'), 1)
      const report = await storage.audit.verify(anchor)
      assert.deepEqual([report.ok, report.count], [true, 4])
      const [, erased, , telling] = await storage.audit.find()
      assert.deepEqual([erased?.event, erased?.actor, erased?.data], ['e2', null, null])
      assert.deepEqual(
        [telling?.event, telling?.actor, telling?.data],
        ['audit.erased', 'dpo', { ids: [erased?.id], reason: 'asked to be forgotten' }],
      )
      assert.equal(await storage.audit.erase({}, 'all of it'), 2)
      assert.equal(await storage.audit.erase({}, 'again'), 0)
      assert.deepEqual(await problems(storage), [])
      await refused(() => storage.audit.erase(wrong(undefined), 'x'), { code: 'VALIDATION', paths: ['where'] })
      await refused(() => storage.audit.erase({}, ''), { code: 'VALIDATION', paths: ['reason'] })
    },
  },
  {
    id: 'audit/export',
    title: 'The log is exported as NDJSON, a line a record in the order of the chain',
    async run({ open }) {
      const { storage, ids } = await openWith(open, 3)
      const lines = (await collect(storage.audit.export())).join('').split('\n')
      assert.equal(lines.pop(), '')
      const records = lines.map((line) => JSON.parse(line) as { id: string; sequence: number; digest: string })
      assert.deepEqual(pick(records, 'id'), ids)
      assert.deepEqual(pick(records, 'sequence'), [1, 2, 3])
      assert.equal(records[2]?.digest, (await storage.audit.verify()).digest)
      assert.equal((await collect(storage.audit.export({ where: { event: 'e2' } }))).length, 1)
    },
  },
  {
    id: 'audit/refused',
    title: 'What cannot be recorded is refused, and nothing written',
    async run({ open }) {
      const storage = await open(schema)
      const bad: readonly (readonly [unknown, string])[] = [
        [undefined, ''],
        [{}, 'event'],
        [{ event: '' }, 'event'],
        [{ event: 'audit.erased' }, 'event'],
        [{ event: 'a\0b' }, 'event'],
        [{ event: 'x', actor: {} }, 'actor'],
        [{ event: 'x', success: 'yes' }, 'success'],
        [{ event: 'x', ip: 7 }, 'ip'],
        [{ event: 'x', data: { when: new Date() } }, 'data.when'],
        [{ event: 'x', at: new Date() }, 'at'],
      ]
      for (const [entry, path] of bad) {
        const error = await refused(() => storage.audit.record(wrong(entry)), 'VALIDATION')
        assert.equal((error as unknown as { issues: { path: string }[] }).issues[0]?.path, path)
      }
      assert.equal(await storage.audit.count(), 0)
      assert.deepEqual(await storage.audit.verify(), { ok: true, count: 0, digest: '0'.repeat(64), problems: [] })
    },
  },
]
