import { describe, expect, it } from 'vitest'
import { ConfigurationError } from '../base/errors.ts'
import { targetFromEnv } from './env.ts'
import { openStorageFromEnv } from './index.ts'
import { backendOf } from './targets.ts'

describe('the environment', () => {
  it.each([
    [{}, 'memory:'],
    [{ STORAGE_URL: 'sqlite:./a.db', STORAGE_BACKEND: 'postgres' }, 'sqlite:./a.db'],
    [{ STORAGE_URL: '', STORAGE_BACKEND: 'memory' }, 'memory:'],
    [{ STORAGE_BACKEND: 'sqlite', SQLITE_PATH: './app.db' }, 'sqlite:./app.db'],
    [{ STORAGE_BACKEND: 'postgres', POSTGRESQL_URL: 'postgres://h/d' }, 'postgres://h/d'],
  ])('%o names %s', (environment, target) => {
    expect(targetFromEnv(environment)).toBe(target)
  })

  it('rejects what is opened from it when it is wrong', async () => {
    await expect(openStorageFromEnv({}, { STORAGE_BACKEND: 'oracle' })).rejects.toThrow(ConfigurationError)
  })

  it.each([
    [{ STORAGE_BACKEND: 'sqlite' }, 'SQLITE_PATH is not set'],
    [{ STORAGE_BACKEND: 'oracle' }, 'STORAGE_BACKEND is "oracle"'],
    [
      { STORAGE_BACKEND: 'mysql' },
      'STORAGE_BACKEND is "mysql", which is a backend that this version does not have yet',
    ],
    [{ STORAGE_BACKEND: 'file' }, 'does not have yet'],
    [{ STORAGE_BACKEND: 'constructor' }, 'STORAGE_BACKEND is "constructor"'],
  ])('%o says which variable is wrong', (environment, message) => {
    expect(() => targetFromEnv(environment)).toThrow(message)
    expect(() => targetFromEnv(environment)).toThrow(ConfigurationError)
  })
})

describe('a target', () => {
  it.each(['oracle:scott/tiger-secret@db', 'constructor:x', './app.db', '', 'sqlite:'])(
    '%s that names no backend is refused',
    async (target) => {
      const error: ConfigurationError = await backendOf(target, {}).then(
        () => expect.unreachable(),
        (caught) => caught,
      )
      expect(error).toBeInstanceOf(ConfigurationError)
      expect(error.hint).toContain('sqlite:./app.db')
      expect(error.message).not.toContain('secret')
    },
  )

  it.each(['mysql://root:secret@host/app', 'mariadb://host/app', 'libsql:./app.db', 'file:./data'])(
    '%s is told to be of a backend that this version does not have yet',
    async (target) => {
      const scheme = target.slice(0, target.indexOf(':') + 1)
      await expect(backendOf(target, {})).rejects.toMatchObject({
        code: 'CONFIGURATION',
        message: expect.stringContaining(`This version has no backend for ${scheme} targets yet`),
        hint: expect.stringContaining('sqlite:./app.db'),
      })
    },
  )
})
