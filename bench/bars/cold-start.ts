import { probe } from '../harness/probe.ts'
import { spreadOf } from '../harness/statistics.ts'
import type { Bar } from './bar.ts'

const LIMIT_MS = 150
const STARTS = 11

/** How long an application waits for its storage. */
export const coldStart: Bar = {
  name: 'cold-start',
  title: 'cold import and open of SQLite, in a new process',
  limit: `under ${LIMIT_MS} ms`,
  async measure({ databases, nodeOptions }) {
    const fresh: Started[] = []
    const again: Started[] = []
    for (let start = 0; start < STARTS; start++) {
      const target = `sqlite:${databases.files.next('cold')}`
      for (const times of [fresh, again])
        times.push(await probe<Started>(import.meta.url, 'importAndOpen', [target], nodeOptions))
    }
    const all = spreadOf(fresh.map(({ importMs, openMs }) => importMs + openMs))
    const imported = spreadOf(fresh.map(({ importMs }) => importMs)).median.toFixed(0)
    const reopened = spreadOf(again.map(({ importMs, openMs }) => importMs + openMs)).median.toFixed(0)
    return {
      pass: all.median < LIMIT_MS,
      measured: `${all.median.toFixed(0)} ms (${all.low.toFixed(0)}–${all.high.toFixed(0)})`,
      detail: `a new file, whose tables are made; importing alone ${imported} ms; a file that is there ${reopened} ms`,
    }
  },
}

interface Started {
  readonly importMs: number
  readonly openMs: number
}

/** Runs in a process of its own; this file imports nothing of Holdfast before. */
export async function importAndOpen(target: string): Promise<Started> {
  const started = performance.now()
  const { defineSchema, openStorage, t, table } = await import('holdfast')
  const imported = performance.now()
  const schema = defineSchema({
    users: table({ id: t.integer().primaryKey(), name: t.text().unique(), joined: t.timestamp().defaultNow() }),
    posts: table({ id: t.id(), userId: t.integer().references('users'), text: t.text() }, { indexes: ['userId'] }),
  })
  const storage = await openStorage(target, { schema })
  const opened = performance.now()
  await storage.close()
  return { importMs: imported - started, openMs: opened - imported }
}
