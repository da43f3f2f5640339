import { z } from 'zod'
import { type Fetched, fetchFrom, type Source } from './source.ts'

const Gigs = z.object({ gigs: z.record(z.string(), z.unknown()) })

const Gig = z.object({
  where: z.object({ name: z.string().min(1), address: z.string().optional() }),
  when: z.number().int(),
  headline: z.string().min(1),
  support: z.array(z.string()).default([]),
})

/** A magazine that lists the whole city, so that some of it is listed elsewhere too: JSON, times in seconds. */
export const whatsOn: Source = {
  name: 'whats-on',

  async *fetchAll(baseUrl): AsyncGenerator<Fetched> {
    const { gigs } = Gigs.parse(await (await fetchFrom(`${baseUrl}/whats-on/gigs`)).json())
    for (const [externalId, content] of Object.entries(gigs)) yield { externalId, content }
  },

  read(content) {
    const { where, when, headline, support } = Gig.parse(content)
    return {
      venue: where,
      title: headline,
      startsAt: new Date(when * 1000).toISOString(),
      artists: [headline, ...support],
    }
  },
}
