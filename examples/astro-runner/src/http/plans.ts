import Type from 'typebox'
import { startPlan } from '../executions.ts'
import { Plan } from '../plan.ts'
import type { RunnerStorage } from '../schema.ts'
import { paging } from './paging.ts'
import type { App } from './typebox.ts'

const ById = Type.Object({ id: Type.String() })

/** Plans: stored, listed, read and started. */
export function planRoutes(app: App, storage: RunnerStorage): void {
  const plans = storage.repository('plans')

  app.post('/plan', { schema: { body: Plan } }, async (request, reply) => {
    const plan = await plans.create(request.body)
    return reply.code(201).header('location', `/plan/${plan.id}`).send(plan)
  })

  app.get('/plan', { schema: { querystring: Type.Object(paging) } }, ({ query }) => {
    return plans.page({ ...query, select: ['id', 'name', 'target', 'createdAt'] })
  })

  app.get('/plan/:id', { schema: { params: ById } }, ({ params }) => plans.getById(params.id))

  app.post('/plan/:id/start', { schema: { params: ById } }, async ({ params }, reply) => {
    const execution = await startPlan(storage, params.id)
    return reply.code(202).header('location', `/execution/${execution.id}`).send(execution)
  })
}
