import type { FastifyInstance } from 'fastify'
import { NotFoundError } from 'holdfast'
import type { CityStorage } from '../schema.ts'
import { type Paging, paging } from './paging.ts'

interface ById {
  Params: { id: string }
  Querystring: Paging
}

/** What is on, where and with whom. */
export function cityRoutes(app: FastifyInstance, storage: CityStorage): void {
  const city = storage.graph('city')

  /** Events from a time on, the next first. */
  app.get<{ Querystring: { from?: string; limit: number } }>('/events', { schema: eventsQuery }, ({ query }) => {
    const { from = new Date().toISOString(), limit } = query
    return city.nodes('event', {
      where: { 'data.startsAt': { gte: from } },
      orderBy: { 'data.startsAt': 'asc' },
      limit,
    })
  })

  app.get('/venues', () => city.nodes('venue'))
  app.get('/artists', () => city.nodes('artist'))

  /** An event with its venue and its artists. */
  app.get<ById>('/events/:id', async ({ params: { id } }) => {
    const event = await required('event', id)
    const [venues, artists] = await Promise.all([
      city.neighbors(id, { relation: 'hosts', direction: 'in' }),
      city.neighbors(id, { relation: 'performs_at', direction: 'in' }),
    ])
    return { ...event, venue: venues.items[0] ?? null, artists: artists.items }
  })

  app.get<ById>('/venues/:id/events', { schema: paging }, async ({ params: { id }, query }) => {
    await required('venue', id)
    return city.neighbors(id, { relation: 'hosts', ...query })
  })

  app.get<ById>('/artists/:id/events', { schema: paging }, async ({ params: { id }, query }) => {
    await required('artist', id)
    return city.neighbors(id, { relation: 'performs_at', ...query })
  })

  /** Those who shared a stage with an artist, and those who shared one with them. */
  app.get<ById>('/artists/:id/circle', async ({ params: { id } }) => {
    await required('artist', id)
    const options = { relations: 'performs_at', direction: 'both', minDepth: 1, maxDepth: 4, labels: 'artist' } as const
    const reached = await city.traverse(id, options)
    return reached.map(({ node, depth }) => ({ ...node, stages: depth / 2 }))
  })

  /** How one thing hangs together with another. */
  app.get<{ Querystring: { from: string; to: string } }>('/path', { schema: pathQuery }, async ({ query }) => {
    const path = await city.shortestPath(query.from, query.to, {
      relations: ['hosts', 'performs_at'],
      direction: 'both',
    })
    if (path === null) throw new NotFoundError('path', query)
    return path
  })

  async function required(label: string, id: string) {
    const node = await city.getNode(id)
    if (node?.label !== label) throw new NotFoundError(label, id)
    return node
  }
}

const eventsQuery = {
  querystring: {
    type: 'object',
    properties: {
      from: { type: 'string', format: 'date-time' },
      limit: { type: 'integer', minimum: 1, maximum: 200, default: 20 },
    },
  },
} as const

const pathQuery = {
  querystring: {
    type: 'object',
    required: ['from', 'to'],
    properties: { from: { type: 'string' }, to: { type: 'string' } },
  },
} as const
