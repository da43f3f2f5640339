import Fastify, { type FastifyInstance } from 'fastify'
import type { CityStorage } from '../schema.ts'
import { askForAll } from '../work.ts'
import { cityRoutes } from './city.ts'
import { answerError } from './errors.ts'
import { runRoutes } from './runs.ts'

/** The HTTP API over a storage. It neither listens nor works on jobs. */
export function createApp(storage: CityStorage): FastifyInstance {
  const app = Fastify()
  app.setErrorHandler(answerError)
  app.setNotFoundHandler(({ method, url }, reply) =>
    reply.code(404).send({ code: 'NOT_FOUND', message: `There is no ${method} ${url}.` }),
  )
  cityRoutes(app, storage)
  runRoutes(app, storage)

  app.post('/ingest', async (_, reply) => {
    await askForAll(storage)
    return reply.code(202).send({ sources: await storage.queue('ingest').stats() })
  })
  app.get('/health', async (_, reply) => {
    const health = await storage.health()
    return reply.code(health.ok ? 200 : 503).send(health)
  })
  return app
}
