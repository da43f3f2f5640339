import { join } from 'node:path'

/** Where a program of `test/programs` is, as built for this run: `programPath('worker.ts')`. */
export function programPath(program: string): string {
  return join(process.env['TEST_PROGRAMS'] as string, program.replace(/\.ts$/, '.js'))
}
