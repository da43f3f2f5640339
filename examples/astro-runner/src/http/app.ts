import Fastify from 'fastify'
import type { RunnerStorage } from '../schema.ts'
import { answerError } from './errors.ts'
import { executionRoutes } from './executions.ts'
import { planRoutes } from './plans.ts'
import { type App, validatorCompiler } from './typebox.ts'

/** The HTTP API over a storage. It neither listens nor works on jobs. */
export function createApp(storage: RunnerStorage): App {
  const app: App = Fastify()
  app.setValidatorCompiler(validatorCompiler)
  app.setErrorHandler(answerError)
  app.setNotFoundHandler(({ method, url }, reply) => {
    return reply.code(404).send({ code: 'NOT_FOUND', message: `There is no ${method} ${url}.` })
  })
  planRoutes(app, storage)
  executionRoutes(app, storage)

  app.get('/health', async (_, reply) => {
    const health = await storage.health()
    if (!health.ok) return reply.code(503).send(health)
    return { ...health, jobs: await storage.queue('checks').stats() }
  })
  return app
}
