import type { Graph, GraphEdge, GraphTypesOf } from 'holdfast'
import { eventIdOf, idOf, type Listing } from './listing.ts'
import type { Change, schema } from './schema.ts'

/** The graph, in a transaction. */
type City = Graph<GraphTypesOf<typeof schema, 'city'>>

type Label = 'venue' | 'artist' | 'event'
interface Wanted {
  readonly label: Label
  readonly data: Record<string, string>
}

interface Link {
  readonly source: string
  readonly relation: 'hosts' | 'performs_at'
  readonly target: string
}

/** How some events and all that belongs to them should be; it changes the graph where it is not so. */
export class Workpiece {
  readonly #eventIds: readonly string[]
  readonly #nodes = new Map<string, Wanted>()
  readonly #links = new Map<string, Link>()

  /** @param eventIds the events that are looked at; those of them that nothing is added for are taken away. */
  constructor(eventIds: readonly string[]) {
    this.#eventIds = eventIds
  }

  /** Adds what a listing says. Where several speak of one thing, the first gives its name and the others what it left out. */
  add(listing: Listing): void {
    const eventId = eventIdOf(listing)
    const { venue, title, startsAt, artists } = listing
    const venueId = idOf('venue', venue.name)
    this.#want(eventId, 'event', { title, startsAt })
    this.#want(venueId, 'venue', { name: venue.name, ...(venue.address !== undefined && { address: venue.address }) })
    this.#link({ source: venueId, relation: 'hosts', target: eventId })
    for (const name of artists) {
      const artistId = idOf('artist', name)
      this.#want(artistId, 'artist', { name: name.trim() })
      this.#link({ source: artistId, relation: 'performs_at', target: eventId })
    }
  }

  #want(id: string, label: Label, data: Record<string, string>): void {
    this.#nodes.set(id, { label, data: { ...data, ...this.#nodes.get(id)?.data } })
  }

  #link(link: Link): void {
    this.#links.set(keyOf(link), link)
  }

  /** Makes the graph so, with a statement for each kind of change, and says what it changed. */
  async fit(city: City): Promise<Change[]> {
    return [
      ...(await this.#fitNodes(city, 'venue')),
      ...(await this.#fitNodes(city, 'artist')),
      ...(await this.#fitNodes(city, 'event')),
      ...(await this.#fitLinks(city)),
      ...(await this.#takeAway(city)),
    ]
  }

  async #fitNodes(city: City, label: Label): Promise<Change[]> {
    const wanted = [...this.#nodes].filter(([, node]) => node.label === label)
    const there = await city.nodes(label, { where: { id: { in: wanted.map(([id]) => id) } } })
    const known = new Map(there.map(({ id, data }) => [id, data as Record<string, string>]))
    const missing = wanted.filter(([id]) => !known.has(id))
    await city.addNodes(
      label,
      missing.map(([id, { data }]) => ({ id, data: data as never })),
    )
    const changes = missing.map(([subject, { data }]): Change => ({ action: 'added', subject, detail: nameOf(data) }))
    for (const [id, { data }] of wanted) {
      const before = known.get(id)
      if (before === undefined) continue
      // What other events say of a venue or an artist stays; an event is what its own listings say.
      const names = Object.keys(data).filter((name) =>
        label === 'event' ? before[name] !== data[name] : before[name] === undefined,
      )
      if (names.length === 0) continue
      await city.updateNode(id, Object.fromEntries(names.map((name) => [name, data[name]])) as never)
      changes.push({ action: 'changed', subject: id, detail: names.join(', ') })
    }
    return changes
  }

  async #fitLinks(city: City): Promise<Change[]> {
    const there = await city.edges({
      where: { target: { in: this.#eventIds }, relation: { in: ['hosts', 'performs_at'] } },
    })
    const known = new Map(there.map((edge) => [keyOf(edge), edge]))
    const missing = [...this.#links].filter(([key]) => !known.has(key)).map(([, link]) => link)
    // The edges of an event that is taken away go with it.
    const surplus = [...known.values()].filter((edge) => this.#nodes.has(edge.target) && !this.#links.has(keyOf(edge)))
    await city.connectMany(missing)
    for (const { id } of surplus) await city.disconnect(id)
    return [
      ...missing.map(
        ({ source, relation, target }): Change => ({
          action: 'linked',
          subject: target,
          detail: `${relation} ${source}`,
        }),
      ),
      ...surplus.map(
        ({ source, relation, target }): Change => ({
          action: 'unlinked',
          subject: target,
          detail: `${relation} ${source}`,
        }),
      ),
    ]
  }

  async #takeAway(city: City): Promise<Change[]> {
    const changes: Change[] = []
    for (const id of this.#eventIds) {
      if (this.#nodes.has(id) || !(await city.removeNode(id))) continue
      changes.push({ action: 'removed', subject: id, detail: 'nobody lists it any more' })
    }
    return changes
  }
}

function nameOf(data: Record<string, string>): string {
  return data['name'] ?? data['title'] ?? ''
}

function keyOf({ source, relation, target }: Pick<GraphEdge, 'source' | 'relation' | 'target'>): string {
  return JSON.stringify([source, relation, target])
}
