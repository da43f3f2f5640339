import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import {
  generateMigration,
  type Migration,
  readRenames,
  renameQuestions,
  renderMigration,
} from '../migrations/index.ts'
import type { Schema } from '../schema/index.ts'
import { checkMigrationName, timestamp } from './migration-name.ts'
import type { Output, Streams } from './output.ts'
import { existingMigrations, loadSchema, type ProjectOptions } from './project.ts'

/** The options of `migrate generate`. */
export interface GenerateOptions extends ProjectOptions {
  readonly rename: readonly string[]
  readonly empty?: boolean
}

/** Writes the file of a new migration, and gives its path; null where the schema has not changed. */
export async function generate(
  name: string,
  options: GenerateOptions,
  output: Output,
  streams: Streams,
): Promise<string | null> {
  checkMigrationName(name)
  const full = `${timestamp(new Date())}_${name}`
  const migrations = await existingMigrations(options.dir)
  const text =
    options.empty === true ? renderMigration(full, [], []) : await compared(full, migrations, options, output, streams)
  if (text === null) return null
  await mkdir(options.dir, { recursive: true })
  const path = join(options.dir, `${full}.ts`)
  await writeFile(path, text, { flag: 'wx' })
  return path
}

async function compared(
  name: string,
  migrations: readonly Migration[],
  options: GenerateOptions,
  output: Output,
  streams: Streams,
): Promise<string | null> {
  const schema = await loadSchema(options)
  const written = options.rename.length > 0 ? options.rename : await askForRenames(migrations, schema, output, streams)
  return generateMigration(name, migrations, schema, readRenames(written))?.text ?? null
}

/** On a terminal somebody is asked; elsewhere what is gone is dropped, and a note says how to keep it. */
async function askForRenames(
  migrations: readonly Migration[],
  schema: Schema,
  output: Output,
  { out }: Streams,
): Promise<string[]> {
  const renames: string[] = []
  const taken = new Set<string>()
  for (const { before, candidates, kind } of renameQuestions(migrations, schema)) {
    const left = candidates.filter((candidate) => !taken.has(`${kind} ${candidate}`))
    if (left.length === 0) continue
    if (!out.isTTY || !process.stdin.isTTY) {
      output.note(
        `The ${kind} ${before} is gone and ${left.join(', ')} new. If that is a rename: --rename ${before}:${left[0]}`,
      )
      continue
    }
    const chosen = await choose(`The ${kind} ${before} is gone. Is it called otherwise now?`, left, out)
    if (chosen === null) continue
    taken.add(`${kind} ${chosen}`)
    renames.push(`${before}:${chosen}`)
  }
  return renames
}

async function choose(
  question: string,
  candidates: readonly string[],
  out: NodeJS.WriteStream,
): Promise<string | null> {
  const lines = createInterface({ input: process.stdin, output: out })
  try {
    const list = candidates.map((candidate, at) => `  ${at + 1}  ${candidate}`).join('\n')
    const answer = Number(await lines.question(`${question}\n  0  no, it is dropped\n${list}\n> `))
    return candidates[answer - 1] ?? null
  } finally {
    lines.close()
  }
}
