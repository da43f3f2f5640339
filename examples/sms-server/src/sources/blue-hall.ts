import { z } from 'zod'
import { type Fetched, fetchFrom, type Source } from './source.ts'

const Page = z.object({ events: z.array(z.looseObject({ id: z.number() })), next: z.string().nullable() })

const Entry = z.object({
  title: z.string().min(1),
  starts_at: z.iso.datetime({ offset: true }),
  acts: z.array(z.string()),
})

/** The Blue Hall's own programme: JSON, page by page. */
export const blueHall: Source = {
  name: 'blue-hall',

  async *fetchAll(baseUrl): AsyncGenerator<Fetched> {
    for (let path: string | null = '/blue-hall/events.json'; path !== null; ) {
      const page: z.infer<typeof Page> = Page.parse(await (await fetchFrom(baseUrl + path)).json())
      for (const event of page.events) yield { externalId: String(event.id), content: event }
      path = page.next
    }
  },

  read(content) {
    const { title, starts_at, acts } = Entry.parse(content)
    return { venue: { name: 'Blue Hall' }, title, startsAt: new Date(starts_at).toISOString(), artists: acts }
  },
}
