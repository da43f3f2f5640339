import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const sources = new URL('../../../test/sources.ts', import.meta.url).href

/** Runs a program of this folder as a person would. */
function node(program: string, ...options: string[]): Promise<{ stdout: string; stderr: string }> {
  const path = fileURLToPath(new URL(program, import.meta.url))
  const { FORCE_COLOR: _, ...env } = process.env
  return run(process.execPath, [path, ...options], { env: { ...env, NODE_OPTIONS: `--import ${sources}` } })
}

describe('the demo', () => {
  let folder: string
  let file: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'astro-runner-'))
    file = join(folder, 'demo.db')
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('has nothing to inspect before it ran, and says so', async () => {
    const failed = await node('demo.ts', '--inspect', '--file', file).catch((error) => error)
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('npm run demo makes it')])
  })

  it('shows passing, retried and failing checks in plain text, ends well, and leaves the file to inspect', async () => {
    const { stdout, stderr } = await node('demo.ts', '--file', file)
    expect(stderr).toBe('')
    expect(stdout).toContain('29 passed at once')
    expect(stdout).toContain('3 passed when they were tried again')
    expect(stdout).toContain('6 failed')
    expect(stdout).toMatch(/38 of 38 checks done/)
    expect(stdout).not.toContain('\x1b')

    const inspected = (await node('demo.ts', '--inspect', '--file', file)).stdout
    for (const title of ['plans', 'executions', 'results by outcome', 'jobs by state'])
      expect(inspected).toContain(title)
    expect(inspected).toMatch(/completed +38/)
  })

  it('has all results when the runner was killed in the middle, and gives them as JSON', async () => {
    const { execution, results } = JSON.parse((await node('demo.ts', '--kill', '--json', '--file', file)).stdout)
    expect(execution).toMatchObject({ state: 'failed', total: 38 })
    expect(results.map(({ position }: { position: number }) => position)).toEqual(
      Array.from({ length: 38 }, (_, at) => at),
    )
  })
})

describe('the program', () => {
  it('says what is wrong with its options, and ends with 1', async () => {
    for (const [options, reason] of [
      [['--storage', 'nowhere:'], 'names no backend'],
      [['--workers', 'many'], '--workers must be a whole number'],
    ] as const) {
      const failed = await node('main.ts', '--port', '0', ...options).catch((error) => error)
      expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining(reason)])
    }
  })
})
