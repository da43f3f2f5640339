/** The runner's API as a client in another program would use it. */
import type { ExecutionProgress } from '../executions.ts'
import type { Result } from '../schema.ts'

/** A record as JSON brings it: dates are text. */
export type OverHttp<Row> = { readonly [Name in keyof Row]: Date extends Row[Name] ? string | null : Row[Name] }

/** A page of a list. */
interface Page<Item> {
  readonly items: Item[]
  readonly next: string | null
}

async function call<Answer>(method: 'GET' | 'POST', url: string, body?: object): Promise<Answer> {
  const response = await fetch(url, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${JSON.stringify(answer)}`)
  return answer as Answer
}

/** Stores a plan. */
export function storePlan(url: string, plan: object): Promise<{ id: string; name: string; checks: unknown[] }> {
  return call('POST', `${url}/plan`, plan)
}

/** Starts a plan: gives its execution. */
export function startPlan(url: string, planId: string): Promise<{ id: string; total: number }> {
  return call('POST', `${url}/plan/${planId}/start`)
}

/** How far an execution is. */
export function readExecution(url: string, id: string): Promise<OverHttp<ExecutionProgress>> {
  return call('GET', `${url}/execution/${id}`)
}

/** All results of an execution, page by page. */
export async function readResults(url: string, id: string): Promise<OverHttp<Result>[]> {
  const results: OverHttp<Result>[] = []
  let after = ''
  for (;;) {
    const page = await call<Page<OverHttp<Result>>>('GET', `${url}/execution/${id}/results?first=20${after}`)
    results.push(...page.items)
    if (page.next === null) return results
    after = `&after=${page.next}`
  }
}
