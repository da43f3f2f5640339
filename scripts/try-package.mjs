/**
 * `npm run try-package [-- 22 24 26]`: packs the library, installs the pack in an empty project, and runs it there on each Node
 * version, with and without drivers. Needs a registry, so it is no part of `npm run check`.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// The packages that hold Node itself; the package `node` only chooses among them, with an install script.
const NODE_PACKAGE =
  process.platform === 'darwin' ? `node-bin-darwin-${process.arch}` : `node-${process.platform}-${process.arch}`

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26']

const program = `
import { defineSchema, openStorage, queue, t, table } from 'holdfast'
const schema = defineSchema({ users: table({ id: t.id(), name: t.text().unique() }), mail: queue() })
for (const target of ['memory:', 'sqlite::memory:', 'sqlite:./try-' + process.argv[2] + '.db']) {
  const storage = await openStorage(target, { schema })
  const user = await storage.transaction(async (tx) => {
    const created = await tx.repository('users').create({ name: 'kim' })
    await tx.queue('mail').enqueue({ to: created.id })
    return created
  })
  const found = await storage.repository('users').getById(user.id)
  const job = await storage.queue('mail').dequeue()
  await storage.queue('mail').acknowledge(job)
  if (found.name !== 'kim' || job.data.to !== user.id) throw new Error('wrong: ' + JSON.stringify({ found, job }))
  await storage.close()
}
console.log('runs on Node ' + process.version)
`

function run(cwd, command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`)
  return stdout.trim()
}

const folder = mkdtempSync(join(tmpdir(), 'holdfast-package-'))
try {
  const [{ filename }] = JSON.parse(run('packages/holdfast', 'npm', 'pack', '--json', '--pack-destination', folder))
  const install = ['install', '--no-audit', '--no-fund', '--silent']
  for (const driver of [[], ['better-sqlite3']]) {
    const project = mkdtempSync(join(folder, 'project-'))
    writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
    writeFileSync(join(project, 'program.js'), program)
    run(project, 'npm', ...install, join(folder, filename), ...driver)
    for (const version of versions) {
      const node = mkdtempSync(join(folder, 'node-'))
      writeFileSync(join(node, 'package.json'), JSON.stringify({ private: true }))
      run(node, 'npm', ...install, `${NODE_PACKAGE}@${version}`)
      const answer = run(project, join(node, 'node_modules/.bin/node'), 'program.js', version)
      console.log(`${answer} ${driver.length === 0 ? 'without drivers' : `with ${driver.join(', ')}`}`)
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
