import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { holds } from '../../../../test/repository-model/conditions.ts'
import { comparing } from '../../../../test/repository-model/order.ts'
import { PAGED_KEYS, type Paged, pagedSchema, type Walk, walks } from '../../../../test/repository-model/paged.ts'
import type { Fields } from '../../../../test/repository-model/schema.ts'
import { type FreshTarget, testBackends } from '../../../../test/targets.ts'
import { openStorage, type Storage } from '../index.ts'

const RUNS = Number(process.env['AGREEMENT_RUNS'] ?? 25)

interface Page {
  readonly items: readonly Fields[]
  readonly next: string | null
}

/** A repository, of which nothing more is known than this: what is asked is made up. */
interface Pages {
  page(query: object): Promise<Page>
  find(query: object): Promise<Fields[]>
  save(record: Fields): Promise<Fields>
  delete(key: unknown): Promise<boolean>
  deleteMany(where: Fields): Promise<number>
}

describe.each(testBackends)('$name', ({ fresh }) => {
  let database: FreshTarget
  let storage: Storage<typeof pagedSchema>

  beforeAll(async () => {
    database = await fresh()
    storage = await openStorage(database.target, { schema: pagedSchema, durability: 'relaxed' })
  })
  afterAll(async () => {
    await storage.close()
    await database.drop()
  })

  /** The walk's records are there, and nothing else. */
  async function laidOut({ model, records }: Walk): Promise<Pages> {
    const pages = storage.repository(model) as unknown as Pages
    await pages.deleteMany({})
    for (const record of records) await pages.save(record)
    return pages
  }

  it('a walk through all pages meets every record once and in order, and backwards the same', async () => {
    await fc.assert(
      fc.asyncProperty(walks, async (walk) => {
        const pages = await laidOut(walk)
        const { model, where, orderBy } = walk
        const all = (await pages.find({ where })).toSorted(comparing(orderBy, PAGED_KEYS[model]))
        const backwards = orderBy.flatMap((one) => Object.entries(one).map(([name, way]) => ({ [name]: turned(way) })))
        const byKey = PAGED_KEYS[model].map((name) => ({ [name]: 'desc' }))
        for (const [order, wanted] of [
          [orderBy, all],
          [[...backwards, ...byKey], all.toReversed()],
        ] as const) {
          expect(await pages.find({ where, orderBy: order })).toEqual(wanted)
          const met: Fields[] = []
          for await (const { items } of pagesOf(pages, walk, order)) met.push(...items)
          expect(met).toEqual(wanted)
        }
      }),
      { numRuns: RUNS },
    )
  }, 600_000)

  it('a page goes on behind the last record of the one before, as that was then, whatever is written between them', async () => {
    await fc.assert(
      fc.asyncProperty(walks, async (walk) => {
        const pages = await laidOut(walk)
        const { model, where, orderBy } = walk
        const compare = comparing(orderBy, PAGED_KEYS[model])
        let present = await pages.find({})
        let last: Fields | undefined
        for await (const { items, next, first, writes } of pagesOf(pages, walk, orderBy)) {
          const isBehind = (record: Fields) => last === undefined || compare(record, last) > 0
          const left = present.filter((record) => holds(where, record) && isBehind(record)).toSorted(compare)
          expect(items).toEqual(left.slice(0, first))
          expect(next === null).toBe(left.length <= first)
          last = items.at(-1)
          for (const { record, removes } of writes) await (removes ? remove(pages, model, record) : pages.save(record))
          present = await pages.find({})
        }
      }),
      { numRuns: RUNS },
    )
  }, 600_000)
})

/** The pages of a walk one after the other, each with what is to be written before the next; what was once is not again. */
async function* pagesOf(pages: Pages, walk: Walk, orderBy: readonly object[]) {
  for (let after: string | null = null, at = 0; at === 0 || after !== null; at++) {
    const { first, writes } = walk.pages[at % walk.pages.length] as Walk['pages'][number]
    const page: Page = await pages.page({ where: walk.where, orderBy, first, after })
    yield { ...page, first, writes: at < walk.pages.length ? writes : [] }
    after = page.next
  }
}

function turned(direction: unknown): string {
  return direction === 'asc' ? 'desc' : 'asc'
}

function remove(pages: Pages, model: Paged, record: Fields): Promise<boolean> {
  const [first, second] = PAGED_KEYS[model] as [string, string?]
  return pages.delete(second === undefined ? record[first] : { [first]: record[first], [second]: record[second] })
}
