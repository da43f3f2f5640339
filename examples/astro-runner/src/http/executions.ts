import Type from 'typebox'
import { withProgress } from '../executions.ts'
import type { RunnerStorage } from '../schema.ts'
import { paging } from './paging.ts'
import type { App } from './typebox.ts'

const ById = Type.Object({ id: Type.String() })
const ListQuery = Type.Object({ ...paging, planId: Type.Optional(Type.String()) })
const ResultsQuery = Type.Object({ ...paging, outcome: Type.Optional(Type.Enum(['passed', 'failed'])) })

/** Executions with their progress, and their results. */
export function executionRoutes(app: App, storage: RunnerStorage): void {
  const executions = storage.repository('executions')
  const results = storage.repository('results')

  app.get('/execution', { schema: { querystring: ListQuery } }, async ({ query }) => {
    const { planId, ...page } = query
    const { items, next } = await executions.page({
      ...page,
      ...(planId !== undefined && { where: { planId } }),
      orderBy: { id: 'desc' }, // Ids are made in the order of time: the latest first.
    })
    return { items: await withProgress(storage, items), next }
  })

  app.get('/execution/:id', { schema: { params: ById } }, async ({ params }) => {
    const [execution] = await withProgress(storage, [await executions.getById(params.id)])
    return execution
  })

  app.get(
    '/execution/:id/results',
    { schema: { params: ById, querystring: ResultsQuery } },
    async ({ params, query }) => {
      const { outcome, ...page } = query
      const { id: executionId } = await executions.getById(params.id)
      return results.page({ ...page, where: { executionId, ...(outcome !== undefined && { outcome }) } })
    },
  )
}
