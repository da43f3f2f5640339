import { SingleBar } from 'cli-progress'
import type { MigrationProgress } from '../migrations/index.ts'
import type { Streams } from './output.ts'

/** Shows how far data steps are: a bar on a terminal, nothing elsewhere. */
export function progressOn({ err }: Streams, json: boolean): (progress: MigrationProgress) => void {
  if (json || !err.isTTY) return () => undefined
  let bar: SingleBar | undefined
  return ({ name, step, table, rows, total, done }) => {
    if (bar === undefined) {
      bar = new SingleBar({
        stream: err,
        format: '{what} [{bar}] {value}/{total} {eta_formatted}',
        clearOnComplete: true,
      })
      bar.start(total, 0, { what: `${name}, step ${step}, ${table}` })
    }
    bar.update(Math.min(rows, total))
    if (!done) return
    bar.stop()
    bar = undefined
  }
}
