import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'

/** Loads a driver in a process that cannot find these packages, and gives its name or the error. */
function loadWithout(missing: readonly string[], wanted?: string): unknown {
  const program = `
    import { registerHooks } from 'node:module'
    registerHooks({
      resolve(name, context, next) {
        if (!${JSON.stringify(missing)}.includes(name)) return next(name, context)
        throw Object.assign(new Error('Cannot find package ' + name), { code: 'ERR_MODULE_NOT_FOUND' })
      },
    })
    const { loadDriver } = await import(${JSON.stringify(new URL('./load-driver.ts', import.meta.url).href)})
    const loaded = await loadDriver(${JSON.stringify(wanted)}).then(({ name }) => name, ({ code, hint }) => ({ code, hint }))
    console.log(JSON.stringify(loaded))
  `
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}

describe('the driver of SQLite', () => {
  it('is better-sqlite3 where it is installed, and node:sqlite elsewhere', () => {
    expect(loadWithout([])).toBe('better-sqlite3')
    expect(loadWithout([], 'node:sqlite')).toBe('node:sqlite')
    expect(loadWithout(['better-sqlite3'])).toBe('node:sqlite')
  })

  it('is named with the package to install where it is missing', () => {
    const missing = { code: 'MISSING_DRIVER', hint: expect.stringContaining('npm install better-sqlite3') }
    expect(loadWithout(['better-sqlite3'], 'better-sqlite3')).toEqual(missing)
    expect(loadWithout(['better-sqlite3', 'node:sqlite'])).toEqual(missing)
  })
})
