import { isDeepStrictEqual } from 'node:util'
import type { Transaction } from '../../index.ts'
import type { accountsSchema } from './accounts.ts'
import type { History, Scenario } from './schedule.ts'

type Tx = Transaction<typeof accountsSchema>

const read = (id: number) => async (tx: Tx) => (await tx.repository('accounts').findById(id))?.value ?? null
const write = (id: number, value: number) => async (tx: Tx) =>
  void (await tx.repository('accounts').updateMany({ id }, { value }))
const insert = (id: number, value: number) => async (tx: Tx) =>
  void (await tx.repository('accounts').create({ id, value }))
const above = (least: number) => async (tx: Tx) =>
  (await tx.repository('accounts').find({ where: { value: { gte: least } } })).map(({ id }) => id)
const abort = async () => {
  throw new Error('aborted by the scenario')
}

const both = ({ committed }: History) => committed.has('t1') && committed.has('t2')
const unless = (fine: boolean, what: string) => (fine ? null : what)
const isOneOf = (value: unknown, ...allowed: unknown[]) => allowed.some((one) => isDeepStrictEqual(value, one))

/**
 * The anomalies of Adya's thesis in the form of the Hermitage tests (https://github.com/ept/hermitage): each is an interleaving that fits no
 * serial order. Nothing is said about who blocks or is aborted; only what committed is judged.
 */
export const scenarios: readonly Scenario[] = [
  {
    id: 'G0',
    title: 'Writes of two transactions do not mix',
    transactions: { t1: [write(1, 11), write(2, 21)], t2: [write(1, 12), write(2, 22)] },
    order: ['t1', 't2', 't1', 't1', 't2', 't2'],
    anomaly: (history) =>
      unless(
        !both(history) || isOneOf(history.final, { 1: 11, 2: 21 }, { 1: 12, 2: 22 }),
        JSON.stringify(history.final),
      ),
  },
  {
    id: 'G1a',
    title: 'What is rolled back was never seen',
    transactions: { t1: [write(1, 101), abort], t2: [read(1), read(1)] },
    order: ['t1', 't2', 't1', 't2', 't2'],
    anomaly: ({ reads, final }) => unless(!reads['t2']?.includes(101) && final[1] === 10, '101 was seen'),
  },
  {
    id: 'G1b',
    title: 'What a transaction overwrote itself was never seen',
    transactions: { t1: [write(1, 101), write(1, 11)], t2: [read(1), read(1)] },
    order: ['t1', 't2', 't1', 't1', 't2', 't2'],
    anomaly: ({ reads }) => unless(!reads['t2']?.includes(101), '101 was seen'),
  },
  {
    id: 'G1c',
    title: 'Two transactions do not each see what the other wrote, nor miss it both',
    transactions: { t1: [write(1, 11), read(2)], t2: [write(2, 22), read(1)] },
    order: ['t1', 't2', 't1', 't2', 't1', 't2'],
    anomaly: (history) => {
      const seen = (history.reads['t1']?.[1] === 22) !== (history.reads['t2']?.[1] === 11)
      return unless(!both(history) || seen, JSON.stringify(history.reads))
    },
  },
  {
    id: 'OTV',
    title: 'What was seen of a transaction does not vanish',
    transactions: {
      t1: [write(1, 11), write(2, 19)],
      t2: [write(1, 12), write(2, 18)],
      t3: [read(1), read(2), read(2), read(1)],
    },
    order: ['t1', 't1', 't2', 't1', 't3', 't2', 't3', 't2', 't3', 't3', 't3'],
    anomaly: ({ reads }) =>
      unless(
        isOneOf(reads['t3'] ?? [10, 20, 20, 10], [10, 20, 20, 10], [11, 19, 19, 11], [12, 18, 18, 12]),
        JSON.stringify(reads['t3']),
      ),
  },
  {
    id: 'PMP',
    title: 'A condition finds the same rows twice',
    transactions: { t1: [above(30), above(30)], t2: [insert(3, 30)] },
    order: ['t1', 't2', 't2', 't1', 't1'],
    anomaly: ({ reads }) => unless(isDeepStrictEqual(reads['t1']?.[0], reads['t1']?.[1]), JSON.stringify(reads['t1'])),
  },
  {
    id: 'PMP-write',
    title: 'A conditional write meets the rows as they are in one order',
    transactions: {
      t1: [async (tx) => void (await tx.repository('accounts').updateMany({ value: 10 }, { value: 20 }))],
      t2: [async (tx) => void (await tx.repository('accounts').deleteMany({ value: 20 }))],
    },
    order: ['t1', 't2', 't1', 't2'],
    anomaly: (history) =>
      unless(!both(history) || isOneOf(history.final, {}, { 1: 20 }), JSON.stringify(history.final)),
  },
  {
    id: 'P4',
    title: 'No update is lost',
    transactions: { t1: [increase, async () => undefined], t2: [increase, async () => undefined] },
    order: ['t1', 't2', 't1', 't2', 't1', 't2'],
    anomaly: (history) => unless(!both(history) || history.final[1] === 12, JSON.stringify(history.final)),
  },
  {
    id: 'G-single',
    title: 'A transaction reads from one moment',
    transactions: { t1: [read(1), read(2)], t2: [write(1, 12), write(2, 18)] },
    order: ['t1', 't2', 't2', 't2', 't1', 't1'],
    anomaly: ({ reads }) => unless(isOneOf(reads['t1'] ?? [10, 20], [10, 20], [12, 18]), JSON.stringify(reads['t1'])),
  },
  {
    id: 'G-single-delete',
    title: 'A transaction that read a row does not find its value gone and another there',
    transactions: {
      t1: [read(1), async (tx) => tx.repository('accounts').deleteMany({ value: 20 })],
      t2: [write(1, 12), write(2, 18)],
    },
    order: ['t1', 't2', 't2', 't2', 't1', 't1'],
    anomaly: (history) => {
      const [seen, deleted] = history.reads['t1'] ?? []
      return unless(!both(history) || isOneOf([seen, deleted], [10, 1], [12, 0]), JSON.stringify(history.reads['t1']))
    },
  },
  {
    id: 'G2-item',
    title: 'Two transactions do not write by what the other then changes',
    transactions: { t1: [read(1), read(2), write(1, 11)], t2: [read(1), read(2), write(2, 21)] },
    order: ['t1', 't1', 't2', 't2', 't1', 't2', 't1', 't2'],
    anomaly: (history) => {
      const seen = history.reads['t1']?.[1] === 21 || history.reads['t2']?.[0] === 11
      return unless(!both(history) || seen, 'write skew')
    },
  },
  {
    id: 'G2',
    title: 'Two transactions do not insert by what the other then adds',
    transactions: { t1: [above(30), insert(3, 30)], t2: [above(30), insert(4, 42)] },
    order: ['t1', 't2', 't1', 't2', 't1', 't2'],
    anomaly: ({ committed, reads }) => {
      const blind = isDeepStrictEqual(reads['t1']?.[0], []) && isDeepStrictEqual(reads['t2']?.[0], [])
      return unless(!(committed.has('t1') && committed.has('t2') && blind), 'both found nothing')
    },
  },
  {
    id: 'Fekete',
    title: 'A transaction that only reads does not see an order that the others then break',
    initial: { 1: 0, 2: 0 },
    transactions: { t1: [read(2), write(2, 20)], t2: [read(1), read(2), write(1, -11)], t3: [read(1), read(2)] },
    order: ['t2', 't2', 't1', 't1', 't1', 't3', 't3', 't3', 't2', 't2'],
    anomaly: ({ committed, reads, final }) => {
      const saw = isDeepStrictEqual(reads['t3'], [0, 20]) && isDeepStrictEqual(reads['t2']?.slice(0, 2), [0, 0])
      return unless(
        !(committed.size === 3 && saw && final[1] === -11),
        'the reader saw the deposit before a withdrawal that did not',
      )
    },
  },
]

async function increase(tx: Tx): Promise<void> {
  const accounts = tx.repository('accounts')
  const { value } = await accounts.getById(1)
  await accounts.update(1, { value: value + 1 })
}
