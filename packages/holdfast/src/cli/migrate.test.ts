import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStorage } from '../index.ts'
import { runProgram } from './program.ts'

/** Keeps what is written to it. */
class Sink extends Writable {
  text = ''

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk
    done()
  }
}

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

describe('holdfast migrate', { timeout: 120_000 }, () => {
  let folder: string
  let schema = ''
  let dir = 'migrations'
  let written = 0

  beforeEach(() => {
    // Beside the sources, so that its modules find `holdfast`.
    folder = mkdtempSync(join(import.meta.dirname, '.snippets-'))
    dir = 'migrations'
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  /** Runs the command line. */
  async function holdfast(...words: string[]): Promise<Ended> {
    const project = ['--storage', `sqlite:${join(folder, 'app.db')}`, '--dir', join(folder, dir)]
    const [out, err] = [new Sink(), new Sink()]
    const code = await runProgram(['migrate', ...words, ...project, '--schema', schema], { out, err } as never)
    return { code, out: out.text, err: err.text }
  }

  /** A module is read once, so each schema has one of its own. */
  function writeSchema(columns: string, options = ''): void {
    schema = join(folder, `schema-${++written}.ts`)
    const text = `import { defineSchema, t, table } from 'holdfast'\nexport const schema = defineSchema({ users: table({ ${columns} }${options}) })\n`
    writeFileSync(schema, text)
  }

  const files = () => readdirSync(join(folder, 'migrations')).sort()
  const lastFile = () => readFileSync(join(folder, 'migrations', files().at(-1) as string), 'utf8')

  it('goes from schema to schema and back', async () => {
    writeSchema('id: t.integer().primaryKey().generated(), name: t.text()', ", { indexes: ['name'] }")
    const generated = await holdfast('generate', 'create-users')
    expect(generated).toMatchObject({ code: 0, err: '' })
    expect(lastFile()).toContain("name: t.text(),\n    }, { indexes: ['name'] })")
    expect(await holdfast('generate', 'nothing')).toMatchObject({ code: 0, out: 'The schema has not changed.\n' })
    expect((await holdfast('status', '--check')).code).toBe(3)
    expect((await holdfast('verify')).code).toBe(3)
    expect((await holdfast('plan', '--dialect', 'postgres')).out).toContain('create table "users"')
    expect((await holdfast('up')).out).toMatch(/^applied \d{14}_create-users \d+ ms\n$/)
    expect((await holdfast('verify')).code).toBe(0)

    writeSchema('id: t.integer().primaryKey().generated(), fullName: t.text(), age: t.integer()')
    const renamed = await holdfast('generate', 'rename', '--rename', 'users.name:fullName')
    expect(renamed.code).toBe(0)
    expect(lastFile()).toContain("m.renameColumn('users', 'name', 'fullName')")
    expect(lastFile()).toContain("m.renameColumn('users', 'fullName', 'name')")
    expect(lastFile()).toContain("m.addColumn('users', 'age', t.integer(), { fill: 0 })")
    expect((await holdfast('up', '--json')).out).toMatch(
      /^\{"applied":\[\{"name":"\d+_rename","durationMs":\d+\}\]\}\n$/,
    )
    expect((await holdfast('verify')).code).toBe(0)
    expect((await holdfast('status', '--check')).code).toBe(0)
    expect((await holdfast('down', '--steps', '2')).code).toBe(0)
    const status = JSON.parse((await holdfast('status', '--json')).out) as { state: string }[]
    expect(status.map(({ state }) => state)).toEqual(['pending', 'pending'])
  })

  it('drops only what it is allowed to, and says how to go on after a mistake', async () => {
    writeSchema('id: t.id(), name: t.text()')
    await holdfast('generate', 'first')
    await holdfast('up')
    writeSchema('id: t.id(), title: t.text()')
    const generated = await holdfast('generate', 'second')
    expect(generated.err).toContain('--rename users.name:title')
    const refused = await holdfast('up')
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.out).toContain('--allow-destructive')
    expect(refused.err).toContain('breaks: The column users.name goes')
    expect((await holdfast('up', '--allow-destructive')).code).toBe(0)
    expect((await holdfast('finalize')).code).toBe(1)
    expect((await holdfast('finalize', '--allow-destructive')).code).toBe(0)
    expect((await holdfast('up', '--to', 'none')).err).toContain('There is no migration none.')
    expect((await holdfast('nonsense')).code).toBe(2)
    expect((await holdfast('down', '--steps', 'x')).code).toBe(2)
  })

  it('refuses what contradicts itself, or would be a file elsewhere', async () => {
    writeSchema('id: t.id()')
    await holdfast('generate', 'first')
    await holdfast('up')
    for (const words of [
      ['--all', '--to', 'first'],
      ['--steps', '1', '--all'],
      ['--steps', '1', '--to', 'first'],
    ])
      expect(await holdfast('down', ...words)).toMatchObject({
        code: 2,
        err: expect.stringContaining('cannot be used'),
      })
    expect((await holdfast('status', '--check')).code).toBe(0)
    expect(await holdfast('plan', '--dialect', 'oracle')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Allowed choices are sqlite, postgres.'),
    })
    for (const command of ['generate', 'squash'])
      expect((await holdfast(command, '../elsewhere')).err).toContain('Use letters, digits, _ and -.')
    expect(files()).toHaveLength(1)
  })

  it('keeps migrations in order', async () => {
    writeSchema('id: t.id(), name: t.text()')
    await holdfast('generate', 'first')
    await holdfast('up')
    writeSchema('id: t.id(), name: t.text(), age: t.integer().default(1)')
    await holdfast('generate', 'second')
    const copy = `sqlite:${join(folder, 'copy.db')}`
    expect(await holdfast('rehearse', '--on', copy)).toMatchObject({ code: 0, err: '' })
    const rehearsed = await holdfast('rehearse')
    expect(rehearsed).toMatchObject({ code: 0, err: '' })
    expect(rehearsed.out).toContain('Nothing is lost.')
    expect((await holdfast('status', '--check')).code).toBe(3)
    await holdfast('up')

    const other = join(folder, 'other')
    mkdirSync(other)
    for (const file of files().slice(0, 1)) copyFileSync(join(folder, 'migrations', file), join(other, file))
    const clash = `export default { name: '3_clash', up: (m) => m.renameColumn('users', 'name', 'age') }\n`
    writeFileSync(join(other, '3_clash.ts'), clash)
    expect((await holdfast('check')).code).toBe(0)
    const checked = await holdfast('check', '--with', other)
    expect(checked).toMatchObject({ code: 3 })
    expect(checked.out).toContain('users has a column age already')

    expect((await holdfast('finalize', '--allow-destructive')).code).toBe(0)
    expect((await holdfast('squash', 'all')).out).toMatch(/\d{14}_all\.ts\n$/)
    expect(files()).toHaveLength(1)
    expect((await holdfast('status', '--check')).code).toBe(0)
    expect((await holdfast('up')).out).toBe('There is nothing to do.\n')
    expect((await holdfast('verify')).code).toBe(0)

    await rm(join(folder, 'app.db'))
    expect((await holdfast('baseline')).code).toBe(3)
    expect((await holdfast('up')).code).toBe(0)
    expect((await holdfast('down')).code).toBe(0)
  })

  it('adopts a database that was made without it', async () => {
    writeSchema(
      'id: t.integer().primaryKey().generated(), email: t.text().unique(), age: t.integer().check({ gte: 0 }).default(1)',
    )
    const made = await openStorage(`sqlite:${join(folder, 'app.db')}`, { schema: (await import(schema)).schema })
    await sql`create table notes (id integer primary key, "userId" integer)`.execute(made.sql)
    await sql`create table tags (tag varchar(20) not null primary key)`.execute(made.sql)
    await made.close()
    schema = join(folder, 'found.ts')
    const first = await holdfast('baseline')
    expect(first.out).toMatch(/^wrote .*found\.ts\nwrote .*_baseline\.ts\n/)
    expect(first.err).toContain('notes is left out: a schema cannot say userId')
    // What no schema can say is named, and nothing is noted.
    expect(first).toMatchObject({ code: 3 })
    expect(first.out).toContain('tags.tag is varchar(20) instead of TEXT')
    const changed = await openStorage(`sqlite:${join(folder, 'app.db')}`, { autoCreate: false })
    await sql`drop table tags`.execute(changed.sql)
    await changed.close()
    schema = join(folder, 'again.ts')
    dir = 'again'
    expect((await holdfast('baseline')).out).toMatch(/\nnoted \d{14}_baseline\n$/)
    expect(readFileSync(schema, 'utf8')).toContain('age: t.integer().default(1).check({ gte: 0 }),')
    expect(readFileSync(schema, 'utf8')).toContain('email: t.text().unique(),')
    expect((await holdfast('verify')).code).toBe(0)
    expect((await holdfast('status', '--check')).code).toBe(0)
    expect((await holdfast('generate', 'nothing')).out).toBe('The schema has not changed.\n')
  })

  it('is a program', async () => {
    const main = join(import.meta.dirname, 'main.ts')
    const { stdout } = await promisify(execFile)(process.execPath, [main, 'migrate', '--help'])
    expect(stdout).toContain('generate')
  })
})
