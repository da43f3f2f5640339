/** Prints what a storage of the runner holds: `npm run demo -- --inspect`. Every table below is one call on Holdfast. */
import { avg, count, max, openStorage } from 'holdfast'
import { withProgress } from '../executions.ts'
import { schema } from '../schema.ts'
import { columns } from './columns.ts'

/** Opens the storage, reads it, closes it, and gives the text. */
export async function inspect(target: string): Promise<string> {
  await using storage = await openStorage(target, { schema, autoCreate: false })
  const plans = await storage.repository('plans').find({ select: ['id', 'name', 'version', 'createdAt'] })
  const executions = await storage.repository('executions').find({ include: { plan: { select: ['name'] } } })
  const results = storage.repository('results')
  const outcomes = await results.aggregate({
    groupBy: { outcome: 'outcome', status: 'status' },
    select: { n: count(), mean: avg('durationMs'), slowest: max('durationMs') },
    orderBy: { n: 'desc' },
  })
  const slowest = await results.find({
    where: { durationMs: { gte: 200 } },
    orderBy: { durationMs: 'desc' },
    limit: 5,
    select: ['name', 'durationMs', 'status'],
  })
  const jobs = await storage.queue('checks').list({ limit: 3 })

  return [
    section(
      'plans',
      ['id', 'name', 'version', 'created'],
      plans.map((plan) => [plan.id, plan.name, plan.version, plan.createdAt]),
    ),
    section(
      'executions',
      ['id', 'plan', 'state', 'passed', 'failed', 'started', 'finished'],
      (await withProgress(storage, executions)).map((one) => [
        one.id,
        one.plan?.name,
        one.state,
        one.passed,
        one.failed,
        one.startedAt,
        one.finishedAt,
      ]),
    ),
    section(
      'results by outcome and HTTP status',
      ['outcome', 'status', 'results', 'mean ms', 'slowest ms'],
      outcomes.map(({ outcome, status, n, mean, slowest }) => [outcome, status, n, mean, slowest]),
    ),
    section(
      'slowest results',
      ['check', 'ms', 'status'],
      slowest.map((one) => [one.name, one.durationMs, one.status]),
    ),
    section('jobs by state', ['state', 'jobs'], Object.entries(await storage.queue('checks').stats())),
    section(
      'latest jobs',
      ['id', 'check', 'state', 'attempt', 'finished'],
      jobs.map((job) => [job.id, job.data.check.name, job.state, job.attempt, job.finishedAt]),
    ),
  ].join('\n\n')
}

function section(title: string, head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  return `${title}\n${columns([head, head.map((name) => '─'.repeat(name.length)), ...rows.map((row) => row.map(cell))])}`
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '–'
  if (value instanceof Date) return value.toISOString().slice(0, 19).replace('T', ' ')
  return typeof value === 'number' ? String(Math.round(value * 10) / 10) : String(value)
}
