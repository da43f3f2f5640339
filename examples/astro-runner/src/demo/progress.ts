/** Live progress: a bar on a terminal, plain lines elsewhere. */
import { styleText } from 'node:util'

/** How far an execution is. */
export interface Progress {
  readonly total: number
  readonly passed: number
  readonly failed: number
}

const WIDTH = 40

/** Shows progress on a stream. */
export class ProgressDisplay {
  readonly #stream: NodeJS.WriteStream
  readonly #started = performance.now()
  #quarters = 0

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  /** Shows how far it is by now. */
  show(progress: Progress): void {
    if (this.#stream.isTTY) this.#stream.write(`\r${this.#bar(progress)}\x1b[K`)
    else this.#line(progress)
  }

  /** Says something without disturbing the bar. */
  say(text: string): void {
    this.#stream.write(this.#stream.isTTY ? `\r\x1b[K${text}\n` : `${text}\n`)
  }

  /** Leaves the bar on the screen and goes to the next line. */
  end(): void {
    if (this.#stream.isTTY) this.#stream.write('\n')
  }

  #bar({ total, passed, failed }: Progress): string {
    const cells = (count: number) => Math.round((count / total) * WIDTH)
    const [green, red] = [cells(passed), cells(passed + failed) - cells(passed)]
    const bar =
      styleText('green', '━'.repeat(green)) +
      styleText('red', '━'.repeat(red)) +
      styleText('dim', '─'.repeat(WIDTH - green - red))
    return `  ${bar} ${passed + failed} of ${total}, ${failed} failed, ${this.#seconds()}`
  }

  /** One line for each quarter that is done. */
  #line({ total, passed, failed }: Progress): void {
    const quarters = Math.floor(((passed + failed) / total) * 4)
    if (quarters === this.#quarters) return
    this.#quarters = quarters
    this.#stream.write(`  ${passed + failed} of ${total} checks done, ${failed} failed, ${this.#seconds()}\n`)
  }

  #seconds(): string {
    return `${((performance.now() - this.#started) / 1000).toFixed(1)} s`
  }
}
