import type { Row } from '../../backend/index.ts'
import type { Reply, Request } from './exchange.ts'
import type { PostgresPlan } from './plan.ts'

const BATCH = 1_000

/**
 * Reads a select in batches through a cursor, which sees the snapshot of the moment it was opened. Must run inside a transaction; leaving
 * early closes the cursor.
 */
export async function* streamCursor(
  name: string,
  plan: PostgresPlan,
  parameters: readonly unknown[],
  send: (request: Request) => Promise<Reply>,
): AsyncGenerator<readonly Row[], void, undefined> {
  const [select] = plan.requests(parameters) as [Request]
  const command = (text: string): Promise<Reply> => send({ name: '', text, values: [] })
  const opened = send({ name: '', text: `declare ${name} no scroll cursor for ${select.text}`, values: select.values })
  const fetch = (): Promise<Reply> => command(`fetch ${BATCH} from ${name}`)
  let open = true
  try {
    // Both are sent together.
    let [, { rows }] = await Promise.all([opened, fetch()])
    while (rows.length > 0) {
      yield plan.read(rows)
      if (rows.length < BATCH) return
      rows = (await fetch()).rows
    }
  } catch (error) {
    open = false
    throw error
  } finally {
    if (open) await command(`close ${name}`)
  }
}
