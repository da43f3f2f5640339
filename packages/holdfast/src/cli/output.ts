import { styleText } from 'node:util'
import { progressOn, type ShowProgress } from './progress.ts'

/** Where a command writes: results to one stream, everything else to the other. */
export interface Output {
  /** A result: lines for people, or one JSON document. */
  result(value: unknown, lines: readonly string[]): void
  /** Something to know that is not a result. */
  note(line: string): void
  /** Shows how far something is, where somebody may look. */
  readonly progress: ShowProgress
  readonly colours: Colours
}

/** Colours where a terminal shows them, else the text as it is. */
export interface Colours {
  good(text: string): string
  bad(text: string): string
  faint(text: string): string
}

/** The streams of a command. */
export interface Streams {
  readonly out: NodeJS.WriteStream
  readonly err: NodeJS.WriteStream
}

/** Writes to streams; with `json` results are one JSON document and notes and progress are left out. */
export function outputTo({ out, err }: Streams, json: boolean): Output {
  const style = (format: Parameters<typeof styleText>[0]) => (text: string) => styleText(format, text, { stream: out })
  return {
    result: (value, lines) =>
      void out.write(json ? `${JSON.stringify(value)}\n` : lines.map((line) => `${line}\n`).join('')),
    note: (line) => {
      if (!json) err.write(`${line}\n`)
    },
    progress: json ? () => undefined : progressOn(err),
    colours: { good: style('green'), bad: style('red'), faint: style('dim') },
  }
}
