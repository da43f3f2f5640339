import { parse } from 'csv-parse/sync'
import { z } from 'zod'
import { type Fetched, fetchFrom, type Source } from './source.ts'

const Lines = z.array(z.looseObject({ number: z.string().min(1) }))

const Line = z.object({
  stage: z.string().min(1),
  date: z.iso.date(),
  time: z.string().regex(/^\d{2}:\d{2}$/),
  name: z.string().min(1),
  line_up: z.string(),
})

/** The harbour's stages: one file of comma-separated lines, artists apart by semicolons, times in UTC. */
export const harbour: Source = {
  name: 'harbour',

  async *fetchAll(baseUrl): AsyncGenerator<Fetched> {
    const text = await (await fetchFrom(`${baseUrl}/harbour/programme.csv`)).text()
    for (const line of Lines.parse(parse(text, { columns: true, trim: true, skip_empty_lines: true })))
      yield { externalId: line.number, content: line }
  },

  read(content) {
    const { stage, date, time, name, line_up } = Line.parse(content)
    return {
      venue: { name: stage, address: 'The harbour' },
      title: name,
      startsAt: new Date(`${date}T${time}:00Z`).toISOString(),
      artists: line_up.split(';').filter((artist) => artist.trim() !== ''),
    }
  },
}
