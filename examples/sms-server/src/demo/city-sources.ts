/** A server that plays all the sources, for the demo and the tests. What they list can be changed while it runs. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

interface HallEvent {
  id: number
  title: string
  starts_at: string
  acts: string[]
}

interface Gig {
  where: { name: string; address?: string }
  when: number
  headline: string
  support?: string[]
}

const PAGE = 2

/** The sources; `await using` closes them. */
export class CitySources implements AsyncDisposable {
  readonly #server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sources')
    const answer = this.#answer(pathname, Number(searchParams.get('page') ?? 0))
    response.writeHead(answer === undefined || this.down ? 503 : 200).end(answer)
  })
  /** Whether no source answers. */
  down = false

  blueHall: unknown[] = [
    { id: 1, title: 'Spring Night', starts_at: '2027-04-02T20:00:00+02:00', acts: ['Kim Lee', 'The Lanterns'] },
    { id: 2, title: 'Quiet Songs', starts_at: '2027-04-09T20:00:00+02:00', acts: ['Ada Moon'] },
    { id: 3, title: 'Late Show', starts_at: '2027-04-09T23:00:00+02:00', acts: ['The Lanterns'] },
  ] satisfies HallEvent[]

  harbour = `number,stage,date,time,name,line_up
H1,Pier One,2027-05-01,18:30,Open Air,Ada Moon; Oslo Brass
H2,Crane Stage,2027-05-01,21:00,"Brass, and more",Oslo Brass
`

  whatsOn: Record<string, unknown> = {
    'gig-7': { where: { name: 'Blue Hall', address: '1 Blue Street' }, when: 1806688800, headline: 'Kim Lee' },
    'gig-8': { where: { name: 'Café Zoë' }, when: 1807216200, headline: 'Nils', support: ['Ada  Moon'] },
  } satisfies Record<string, Gig>

  static async start(): Promise<CitySources> {
    const sources = new CitySources()
    sources.#server.listen(0, '127.0.0.1')
    await once(sources.#server, 'listening')
    return sources
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  #answer(path: string, page: number): string | undefined {
    switch (path) {
      case '/blue-hall/events.json': {
        const events = this.blueHall.slice(page * PAGE, (page + 1) * PAGE)
        const more = (page + 1) * PAGE < this.blueHall.length
        return JSON.stringify({ events, next: more ? `${path}?page=${page + 1}` : null })
      }
      case '/harbour/programme.csv':
        return this.harbour
      case '/whats-on/gigs':
        return JSON.stringify({ gigs: this.whatsOn })
      default:
        return undefined
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
