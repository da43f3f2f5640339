import type { FastifyInstance } from 'fastify'
import type { CityStorage } from '../schema.ts'
import { type Paging, paging } from './paging.ts'

/** What the carpenter did. */
export function runRoutes(app: FastifyInstance, storage: CityStorage): void {
  const city = storage.graph('city')

  /** The latest runs first. */
  app.get('/runs', () => city.nodes('carpenter_run', { orderBy: { id: 'desc' }, limit: 50 }))

  app.get<{ Params: { id: string }; Querystring: Paging }>(
    '/runs/:id/records',
    { schema: paging },
    ({ params, query }) => city.neighbors(params.id, { relation: 'has_record', ...query }),
  )
}
