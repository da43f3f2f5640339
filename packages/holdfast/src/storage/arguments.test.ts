import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineSchema, graph, isHoldfastError, openStorage, queue, t, table, Workers } from '../index.ts'

const schema = defineSchema({
  users: table({ id: t.integer().primaryKey(), name: t.text() }, { history: true }),
  mail: queue<{ n: number }>(),
  city: graph({
    nodes: { venue: z.object({ name: z.string() }) },
    relations: { near: { from: 'venue', to: 'venue' } },
  }),
})

// Whoever calls without types passes anything.
// biome-ignore lint/suspicious/noExplicitAny: that is what is tried
type Untyped = any

const storage: Untyped = await openStorage('memory:', { schema })
const [users, mail, city, loose] = [
  storage.repository('users'),
  storage.queue('mail'),
  storage.graph('city'),
  storage.graph(),
]
const [cache, audit, migrations] = [storage.cache('some'), storage.audit, storage.migrations]
await city.addNode('venue', { name: 'Hall' }, { id: 'v' })
afterAll(() => storage.close())

const circular: { self?: unknown } = {}
circular.self = circular

/** What nobody should pass. Undefined is not among them, since it means that an argument is left out. */
const rubbish: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['a number', 5],
  ['NaN', Number.NaN],
  ['a negative number', -1],
  ['infinity', Number.POSITIVE_INFINITY],
  ['a bigint', 10n],
  ['true', true],
  ['a text', 'text'],
  ['an empty text', ''],
  ['a text with NUL', 'a\0b'],
  ['a lone surrogate', '\ud800'],
  ['a symbol', Symbol('s')],
  ['a function', () => 1],
  ['a list', []],
  ['a list of null', [null]],
  ['a list of a symbol', [Symbol('s')]],
  ['an object', {}],
  ['an object of unknown members', { unknown: 1 }],
  ['an object without a prototype', Object.create(null)],
  ['an object that is no text', { toString: null }],
  [
    'an object whose text throws',
    {
      toString() {
        throw new Error('trap')
      },
    },
  ],
  ['an object that holds itself', circular],
  ['an invalid date', new Date(Number.NaN)],
  ['a map', new Map()],
]

const calls: Readonly<Record<string, (given: Untyped) => unknown>> = {
  cache: (given) => storage.cache(given),
  'cache options': (given) => storage.cache(crypto.randomUUID(), given),
  'cache ttlMs': (given) => storage.cache(crypto.randomUUID(), { ttlMs: given }),
  'cache levels': (given) => storage.cache(crypto.randomUUID(), { levels: given }),
  'cache.get': (given) => cache.get(given),
  'cache.set': (given) => cache.set(given, 1),
  'cache.set value': (given) => cache.set('key', given),
  'cache.set options': (given) => cache.set('key', 1, given),
  'cache.set tags': (given) => cache.set('key', 1, { tags: given }),
  'cache.delete': (given) => cache.delete(given),
  'cache.getMany': (given) => cache.getMany(given),
  'cache.setMany': (given) => cache.setMany(given),
  'cache.setMany item': (given) => cache.setMany([given]),
  'cache.getOrSet': (given) => cache.getOrSet(given, () => 1),
  'cache.getOrSet load': (given) => cache.getOrSet(crypto.randomUUID(), given),
  'cache.getOrSet loaded': (given) => cache.getOrSet(crypto.randomUUID(), () => given),
  'cache.getOrSet options': (given) => cache.getOrSet('key', () => 1, given),
  'cache.invalidateTags': (given) => cache.invalidateTags(given),
  'cache.forEach': (given) => cache.forEach(given),
  queue: (given) => storage.queue(given),
  enqueue: (given) => mail.enqueue(given),
  'enqueue options': (given) => mail.enqueue({ n: 1 }, given),
  'enqueue runAt': (given) => mail.enqueue({ n: 1 }, { runAt: given }),
  'enqueue key': (given) => mail.enqueue({ n: 1 }, { key: given }),
  'enqueue tags': (given) => mail.enqueue({ n: 1 }, { tags: given }),
  'enqueue after': (given) => mail.enqueue({ n: 1 }, { after: given }),
  enqueueMany: (given) => mail.enqueueMany(given),
  'enqueueMany item': (given) => mail.enqueueMany([given]),
  dequeue: (given) => mail.dequeue(given),
  dequeueMany: (given) => mail.dequeueMany(given),
  acknowledge: (given) => mail.acknowledge(given),
  fail: (given) => mail.fail(given, new Error('x')),
  'fail error': (given) => mail.fail('nobody', given),
  extend: (given) => mail.extend(given, 5),
  'extend ms': (given) => mail.extend('nobody', given),
  'queue.get': (given) => mail.get(given),
  list: (given) => mail.list(given),
  'list state': (given) => mail.list({ state: given }),
  'cancelMany state': (given) => mail.cancelMany({ state: given }),
  cancel: (given) => mail.cancel(given),
  'queue.watch': (given) => mail.watch(given, { signal: AbortSignal.abort() }).next(),
  'queue.watch options': (given) => mail.watch('nobody', given).next(),
  'list data': (given) => mail.list({ data: given }),
  'cancelMany data': (given) => mail.cancelMany({ data: { n: given } }),
  cancelMany: (given) => mail.cancelMany(given),
  retry: (given) => mail.retry(given),
  retryMany: (given) => mail.retryMany(given),
  pause: (given) => mail.pause(given).then(() => mail.resume()),
  updateData: (given) => mail.updateData(given, { n: 1 }),
  'updateData data': (given) => mail.updateData('nobody', given),
  'schedule from': (given) => mail.schedule('name', '0 0 * * *', { n: 1 }, { from: given }),
  reschedule: (given) => mail.reschedule('nobody', given),
  purge: (given) => mail.purge(given),
  schedule: (given) => mail.schedule(given, '0 0 * * *', { n: 1 }),
  'schedule cron': (given) => mail.schedule('name', given, { n: 1 }),
  'schedule everyMs': (given) => mail.schedule('name', { everyMs: given }, { n: 1 }),
  'schedule catchUp': (given) => mail.schedule('name', '0 0 * * *', { n: 1 }, { catchUp: given }),
  'schedule data': (given) => mail.schedule('name', '0 0 * * *', given),
  'schedule options': (given) => mail.schedule('name', '0 0 * * *', { n: 1 }, given),
  unschedule: (given) => mail.unschedule(given),
  work: (given) => mail.work(given).stop(),
  'work options': (given) => mail.work(() => 1, given).stop(),
  workMany: (given) => mail.workMany(given).stop(),
  'worker.stop': (given) => mail.worker(() => 1).stop(given),
  'workers.stop': (given) => new Workers({ mail: mail.worker(() => 1) }).stop(given),
  'storage.work': (given) => storage.work(given).stop(),
  'storage.work handler': (given) => storage.work({ mail: given }).stop(),
  'storage.work options': (given) => storage.work({ mail: () => 1 }, given).stop(),
  graph: (given) => storage.graph(given),
  'addNode label': (given) => city.addNode(given, { name: 'x' }),
  'addNode label, undeclared': (given) => loose.addNode(given, {}),
  'addNode data': (given) => city.addNode('venue', given),
  'addNode options': (given) => city.addNode('venue', { name: 'x' }, given),
  addNodes: (given) => city.addNodes('venue', given),
  'addNodes item': (given) => city.addNodes('venue', [given]),
  getNode: (given) => city.getNode(given),
  updateNode: (given) => city.updateNode('v', given),
  removeNode: (given) => city.removeNode(given),
  nodes: (given) => city.nodes(given),
  'nodes query': (given) => city.nodes('venue', given),
  connect: (given) => city.connect(given, 'near', 'v'),
  'connect relation': (given) => city.connect('v', given, 'v'),
  'connect data': (given) => city.connect('v', 'near', 'v', given),
  connectMany: (given) => city.connectMany(given),
  'connectMany item': (given) => city.connectMany([given]),
  disconnect: (given) => city.disconnect(given),
  edges: (given) => city.edges(given),
  neighbors: (given) => city.neighbors(given),
  'neighbors options': (given) => city.neighbors('v', given),
  'neighbors after': (given) => city.neighbors('v', { first: 1, after: given }),
  traverse: (given) => city.traverse('v', given),
  'traverse maxDepth': (given) => city.traverse('v', { maxDepth: given }),
  shortestPath: (given) => city.shortestPath('v', 'v', given),
  importJson: (given) => city.importJson(given),
  'audit.record': (given) => audit.record(given),
  'audit.record event': (given) => audit.record({ actor: 'a', event: given }),
  'audit.record data': (given) => audit.record({ actor: 'a', event: 'e', data: given }),
  'audit.find': (given) => audit.find(given),
  'audit.export': (given) => first(audit.export(given)),
  'audit.verify': (given) => audit.verify(given),
  as: (given) => storage.as(given),
  history: (given) => users.history(given),
  asOf: (given) => users.asOf(given).find({}),
  revert: (given) => users.revert(1, given),
  pruneHistory: (given) => users.pruneHistory(given),
  'watch options': (given) => users.watch(undefined, given).stop(),
  'watchQuery options': (given) => first(users.watchQuery({}, given)),
  'watchQuery query': (given) => users.watchQuery(given, { signal: AbortSignal.abort() }).next(),
  'migrations.register': (given) => migrations.register(given),
  'migrations.apply': (given) => migrations.apply(given),
  'migrations.baseline': (given) => migrations.baseline(given),
  'migrations.rollback': (given) => migrations.rollback(given),
  'migrations.rollback steps': (given) => migrations.rollback({ steps: given }),
  transaction: (given) => storage.transaction(given),
  batch: (given) => storage.batch(given),
  'batch item': (given) => storage.batch([given]),
}

async function first(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items) return
}

/** What came of a call: nothing bad, an error of ours, or what leaked. */
async function outcomeOf(call: (given: unknown) => unknown, given: unknown): Promise<unknown> {
  try {
    await call(given)
    return 'done'
  } catch (error) {
    return isHoldfastError(error) && error.hint !== '' ? 'refused' : error
  }
}

describe('whatever is passed to it', () => {
  it.each(Object.entries(calls))('%s takes it or refuses it with an error of ours', async (_name, call) => {
    const leaked: unknown[] = []
    for (const [what, given] of rubbish) {
      const outcome = await outcomeOf(call, given)
      if (outcome !== 'done' && outcome !== 'refused') leaked.push([what, outcome])
    }
    expect(leaked).toEqual([])
  })

  it.each([
    'watch options',
    'watchQuery options',
    'audit.export',
    'migrations.apply',
    'migrations.baseline',
    'worker.stop',
    'workers.stop',
    'work options',
    'enqueue options',
    'cache options',
    'neighbors options',
  ])('%s refuses an option that there is not', async (name) => {
    expect(await outcomeOf(calls[name] as (given: unknown) => unknown, { unknown: 1 })).toBe('refused')
  })

  it('workers whose stopping was refused can be stopped', async () => {
    const workers = storage.work({ mail: () => 1 })
    await expect(workers.stop({ timeoutMs: -1 })).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(workers.stop()).resolves.toBeUndefined()
  })

  it('steps that are no number roll nothing back', async () => {
    for (const steps of ['all', Number.NaN, -1, 0.5, null])
      await expect(migrations.rollback({ steps })).rejects.toMatchObject({ code: 'VALIDATION' })
  })
})
