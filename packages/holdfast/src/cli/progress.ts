import { SingleBar } from 'cli-progress'

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
export function progressOn(stream: NodeJS.WriteStream): ShowProgress {
  if (!stream.isTTY) return () => undefined
  let bar: SingleBar | undefined
  return ({ what, rows, total, done }) => {
    if (bar === undefined) {
      bar = new SingleBar({
        stream,
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
