import assert from 'node:assert/strict'
import { increment } from '../../../repository/index.ts'
import { defineSchema, t, table } from '../../../schema/index.ts'
import { collect, pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema(
  {
    plans: table({ id: t.text().primaryKey(), name: t.text(), runs: t.integer().default(0) }, { watch: true }),
    parts: table({ a: t.integer(), b: t.text(), n: t.integer() }, { primaryKey: ['a', 'b'], watch: true }),
    plain: table({ id: t.text().primaryKey(), plan: t.text().nullable() }, { indexes: ['plan'] }),
  },
  ({ many }) => ({ plans: { plain: many('plain', 'plan') } }),
)

/** The first so many of what is watched. */
async function take<T>(watching: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = []
  for await (const one of watching) if (taken.push(one) === count) break
  return taken
}

export const watchCases: readonly ConformanceCase[] = [
  {
    id: 'watch/changes',
    title: 'Changes come as they are committed, with the record before and after, and none of what was rolled back',
    async run({ open }) {
      const storage = await open(schema)
      const plans = storage.repository('plans')
      await plans.create({ id: 'before', name: 'unseen' })
      const watching = plans.watch()
      await watching.ready
      const taken = take(watching, 5)
      await storage.as('kim').repository('plans').create({ id: 'a', name: 'one' })
      const failing = storage.transaction(async (tx) => {
        await tx.repository('plans').create({ id: 'b', name: 'undone' })
        throw new Error('mine')
      })
      await assert.rejects(failing, /mine/)
      await plans.update('a', { name: 'two' })
      await storage.transaction(async (tx) => {
        await tx.repository('plans').updateMany({}, { runs: increment(1) })
        await tx.repository('plans').delete('a')
      })
      const changes = await taken
      const row = (id: string, name: string, runs: number) => ({ id, name, runs })
      assert.deepEqual(
        changes.map(({ operation, id, before, after, actor }) => ({ operation, id, before, after, actor })).slice(0, 2),
        [
          { operation: 'create', id: 'a', before: null, after: row('a', 'one', 0), actor: 'kim' },
          { operation: 'update', id: 'a', before: row('a', 'one', 0), after: row('a', 'two', 0), actor: null },
        ],
      )
      const together = changes.slice(2)
      assert.equal(new Set(pick(together, 'transaction')).size, 1)
      assert.deepEqual(together.find(({ id }) => id === 'before')?.before, row('before', 'unseen', 0))
      assert.deepEqual(
        together
          .filter(({ id }) => id === 'a')
          .map(({ operation, before, after }) => [operation, before?.runs, after?.runs]),
        [
          ['update', 0, 1],
          ['delete', 1, undefined],
        ],
      )
    },
  },
  {
    id: 'watch/resumed',
    title: 'Watching goes on behind any change, or from the first that is kept',
    async run({ open }) {
      const storage = await open(schema)
      const plans = storage.repository('plans')
      await plans.createMany(Array.from({ length: 250 }, (_, n) => ({ id: String(n).padStart(3, '0'), name: 'x' })))
      const all = await take(plans.watch(undefined, { after: null }), 250)
      assert.deepEqual(
        pick(all, 'id'),
        all.map((_, n) => String(n).padStart(3, '0')),
      )
      const rest = await take(plans.watch(undefined, { after: all[99]?.cursor as string }), 150)
      assert.deepEqual(pick(rest, 'id'), pick(all.slice(100), 'id'))
    },
  },
  {
    id: 'watch/filtered',
    title: 'A condition gives the changes of records that meet it before or after',
    async run({ open }) {
      const storage = await open(schema)
      const plans = storage.repository('plans')
      const taken = take(plans.watch({ name: { startsWith: 'x' } }, { after: null }), 4)
      await plans.create({ id: 'a', name: 'y' })
      await plans.update('a', { name: 'x1' })
      await plans.update('a', { name: 'x2' })
      await plans.update('a', { name: 'y' })
      await plans.update('a', { name: 'z' })
      await plans.create({ id: 'b', name: 'x3' })
      assert.deepEqual(
        (await taken).map(({ before, after }) => [before?.name, after?.name]),
        [
          ['y', 'x1'],
          ['x1', 'x2'],
          ['x2', 'y'],
          [undefined, 'x3'],
        ],
      )
      const parts = storage.repository('parts')
      await parts.create({ a: 1, b: 'x', n: 0 })
      assert.deepEqual(pick(await take(parts.watch({ a: 1 }, { after: null }), 1), 'id'), [{ a: 1, b: 'x' }])
    },
  },
  {
    id: 'watch/many-writers',
    title: 'With many writers at once no change is missed and none repeated, and each record has its changes in order',
    async run({ open, traits }) {
      const storage = await open(schema)
      const other = traits.sharedBetweenProcesses ? await open(schema) : storage
      const [writers, each] = [12, 12]
      const total = writers * each
      const watching = storage.repository('plans').watch(undefined, { after: null })
      const first = take(watching, total / 2)
      const second = first.then((seen) =>
        take(other.repository('plans').watch(undefined, { after: seen.at(-1)?.cursor as string }), total / 2),
      )
      const write = async (writer: number) => {
        const here = writer % 2 === 0 ? storage : other
        for (let n = 0; n < each; n++) {
          // Each writer has its own record, and all of them one in common.
          const id = n % 3 === 0 ? 'common' : String(writer)
          await here
            .repository('plans')
            .upsert({ id, name: `${writer}.${n}` }, { update: { name: `${writer}.${n}`, runs: increment(1) } })
        }
      }
      await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
      const changes = [...(await first), ...(await second)]
      const written = Array.from({ length: total }, (_, n) => `${Math.floor(n / each)}.${n % each}`)
      assert.deepEqual(changes.map(({ after }) => after?.name).sort(), written.sort())
      assert.equal(new Set(pick(changes, 'cursor')).size, total)
      const runs = new Map<string, number>()
      for (const { id, before, after } of changes) {
        assert.equal(before?.runs, runs.get(id), `what ${id} was before is what it was after the change before`)
        runs.set(id, after?.runs as number)
      }
    },
  },
  {
    id: 'watch/late-commit',
    title: 'A transaction that counted first and commits last is not missed',
    needs: ['skipsLocked'],
    async run({ open }) {
      const storage = await open(schema)
      const plans = storage.repository('plans')
      const seen: string[] = []
      const watching = plans.watch(undefined, { after: null })
      const looking = (async () => {
        for await (const { id } of watching) if (seen.push(id) === 2) break
      })()
      const release = Promise.withResolvers<void>()
      const inserted = Promise.withResolvers<void>()
      // What a transaction does right before its commit, held there.
      const late = storage.transaction(async (tx) => {
        await tx.repository<Record<string, unknown>>('plansHistory').create({
          historyKey: 'late',
          historyOperation: 'create',
          historyTransaction: 'late',
          historyFrom: new Date(),
          id: 'late',
          name: 'x',
          runs: 0,
        })
        inserted.resolve()
        await release.promise
      })
      await inserted.promise
      await plans.create({ id: 'early', name: 'x' })
      while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
      release.resolve()
      await late
      await looking
      assert.deepEqual(seen, ['early', 'late'])
    },
  },
  {
    id: 'watch/slow',
    title: 'A loop that is slow holds nothing up; one whose place is no longer kept is told',
    async run({ open }) {
      const storage = await open(schema)
      const plans = storage.repository('plans')
      await plans.create({ id: 'a', name: 'x' })
      const changes = plans.watch(undefined, { after: null })[Symbol.asyncIterator]()
      assert.equal((await changes.next()).value?.operation, 'create')
      for (let n = 0; n < 5; n++) await plans.update('a', { runs: n })
      assert.equal((await changes.next()).value?.after?.runs, 0)
      await changes.return()
      await plans.pruneHistory(new Date(Date.now() + 60_000))
      await refused(() => collect(plans.watch(undefined, { after: '1' })), { code: 'VALIDATION', paths: ['after'] })
      // Who begins anew begins with what is kept.
      const taken = take(plans.watch(undefined, { after: null }), 2)
      await plans.update('a', { runs: 9 })
      assert.deepEqual(
        (await taken).map(({ before, after }) => [before?.runs, after?.runs]),
        [
          [undefined, 4],
          [4, 9],
        ],
      )
    },
  },
  {
    id: 'watch/ended',
    title: 'Watching ends with its signal, and with the storage, without an error',
    async run({ open }) {
      const storage = await open(schema)
      const plans = storage.repository('plans')
      const abort = new AbortController()
      const first = collect(plans.watch(undefined, { signal: abort.signal }))
      // The other two wait for what comes after their first result.
      const results = plans.watchQuery({}, { signal: abort.signal })
      assert.deepEqual((await results.next()).value, [])
      const second = collect(results)
      const queried = plans.watchQuery()
      assert.deepEqual((await queried.next()).value, [])
      const third = collect(queried)
      const watching = plans.watch()
      const fourth = collect(watching)
      await watching.ready
      abort.abort()
      assert.deepEqual([await first, await second], [[], []])
      assert.deepEqual(await collect(plans.watch(undefined, { signal: abort.signal })), [])
      await storage.close()
      assert.deepEqual([await third, await fourth], [[], []])
    },
  },
  {
    id: 'watch/query',
    title: 'A watched query gives its result at once, and again whenever it has become another one',
    async run({ open, traits }) {
      const storage = await open(schema)
      const plans = storage.repository('plans')
      await plans.create({ id: 'a', name: 'x' })
      const results = plans.watchQuery({ where: { name: 'x' }, select: ['id'], include: { plain: true } })
      const next = async () =>
        (await results.next()).value?.map(({ id, plain }) => `${id}${plain.map((one) => one.id)}`)
      assert.deepEqual(await next(), ['a'])
      await plans.create({ id: 'b', name: 'x' })
      assert.deepEqual(await next(), ['a', 'b'])
      const changed = next()
      await plans.create({ id: 'c', name: 'y' })
      await plans.update('a', { runs: 1 })
      await storage.transaction(async (tx) => {
        await tx.repository('plans').delete('b')
        await tx.repository('plans').update('c', { name: 'x' })
      })
      assert.deepEqual(await changed, ['a', 'c'])
      await storage.repository('plain').create({ id: 'p', plan: 'c' })
      assert.deepEqual(await next(), ['a', 'cp'])
      if (traits.sharedBetweenProcesses) {
        const other = await open(schema)
        const seen = next()
        await other.repository('plans').update('a', { name: 'z' })
        assert.deepEqual(await seen, ['cp'])
      }
      await results.return()
    },
  },
  {
    id: 'watch/refused',
    title: 'What cannot be watched is refused: a model that declares nothing, a transaction, unknown options',
    async run({ open }) {
      const storage = await open(schema)
      const plans = storage.repository('plans')
      await refused(() => storage.repository('plain').watch(), 'CONFIGURATION')
      await storage.transaction(async (tx) => {
        await refused(() => tx.repository('plans').watch(), 'TRANSACTION_MISUSE')
        await refused(() => tx.repository('plans').watchQuery(), 'TRANSACTION_MISUSE')
      })
      const bad: readonly (readonly [unknown, string])[] = [
        [{ after: 'x' }, 'after'],
        [{ after: 7 }, 'after'],
        [{ signal: true }, 'signal'],
        [{ pollMs: 0 }, 'pollMs'],
        [{ from: 1 }, 'from'],
      ]
      for (const [options, path] of bad)
        await refused(() => plans.watch(undefined, wrong(options)), { code: 'VALIDATION', paths: [path] })
      await refused(() => collect(plans.watch(wrong({ nope: 1 }))), { code: 'VALIDATION', paths: ['where.nope'] })
      await refused(() => collect(plans.watchQuery({}, { pollMs: -1 })), { code: 'VALIDATION', paths: ['pollMs'] })
      await refused(() => collect(plans.watchQuery(wrong({ where: 7 }))), 'VALIDATION')
      await refused(() => defineSchema({ a: table({ id: t.id() }, { watch: wrong('yes') }) }), 'CONFIGURATION')
    },
  },
]
