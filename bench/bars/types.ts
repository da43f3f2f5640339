import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Bar } from './bar.ts'
import { drizzleProgram, holdfastProgram, kyselyProgram, type ProgramWriter } from './type-programs.ts'

const LIMIT = 100_000

/** What the type checker has to do for a schema and its queries. */
export const types: Bar = {
  name: 'types',
  title: 'type instantiations for 60 tables and 60 queries, TypeScript 7',
  limit: `under ${LIMIT / 1000} k`,
  async measure() {
    const holdfast = await check('holdfast', holdfastProgram)
    const kysely = await check('kysely', kyselyProgram)
    const drizzle = await check('drizzle', drizzleProgram)
    return {
      pass: holdfast.instantiations < LIMIT,
      measured: thousands(holdfast.instantiations),
      detail:
        `Kysely ${thousands(kysely.instantiations)}, Drizzle ${thousands(drizzle.instantiations)}; ` +
        `checking took ${holdfast.checkTime}, ${kysely.checkTime} and ${drizzle.checkTime}`,
    }
  },
}

function thousands(count: number): string {
  return `${(count / 1000).toFixed(1)} k`
}

interface Checked {
  readonly instantiations: number
  readonly checkTime: string
}

async function check(name: string, write: ProgramWriter): Promise<Checked> {
  // Inside this package, so that the programs find what they import.
  const folder = fileURLToPath(new URL(`../.work/types-${name}/`, import.meta.url))
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await writeFile(`${folder}program.ts`, write())
  const configuration = { extends: '../../../tsconfig.base.json', include: ['program.ts'] }
  await writeFile(`${folder}tsconfig.json`, JSON.stringify(configuration))
  const compiler = createRequire(import.meta.url)
    .resolve('typescript/package.json')
    .replace('package.json', 'bin/tsc')
  const output = await run(compiler, ['-p', folder, '--extendedDiagnostics', '--noUnusedLocals', 'false'])
  return {
    instantiations: Number(/^Instantiations:\s+(\d+)/m.exec(output)?.[1] ?? Number.NaN),
    checkTime: /^Check time:\s+(\S+)/m.exec(output)?.[1] ?? 'unknown',
  }
}

async function run(program: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(process.execPath, [program, ...args])).stdout
  } catch (error) {
    throw new Error(`The program has type errors:\n${(error as { stdout?: string }).stdout?.slice(0, 2_000)}`)
  }
}
