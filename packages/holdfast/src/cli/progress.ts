import { SingleBar } from 'cli-progress'
import type { Streams } from './output.ts'

/** Shows how far something is. */
export type ShowProgress = (progress: ShownProgress) => void

/** How far something is. */
export interface ShownProgress {
  readonly what: string
  readonly rows: number
  readonly total: number
  readonly done: boolean
}

/** Shows how far something is: a bar on a terminal, nothing elsewhere. */
export function progressOn({ err }: Streams, json: boolean): ShowProgress {
  if (json || !err.isTTY) return () => undefined
  let bar: SingleBar | undefined
  return ({ what, rows, total, done }) => {
    if (bar === undefined) {
      bar = new SingleBar({
        stream: err,
        format: '{what} [{bar}] {value}/{total} {eta_formatted}',
        clearOnComplete: true,
      })
      bar.start(total, 0, { what })
    }
    bar.update(Math.min(rows, total))
    if (!done) return
    bar.stop()
    bar = undefined
  }
}
