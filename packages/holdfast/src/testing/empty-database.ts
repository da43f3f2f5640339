import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { BackendFactory } from '../backend/index.ts'
import { backendOf, type TargetOptions } from '../storage/index.ts'

/** A target that holds nothing yet, and how to take it away. */
interface EmptyTarget {
  readonly target: string
  remove(): Promise<unknown>
}

/**
 * A backend on an empty database where a target points: a new database on the same Postgres server, a new file beside the SQLite file, or
 * memory. It is removed when the backend is closed.
 *
 * @throws ConfigurationError for a target that names no backend; ConnectionError.
 */
export async function onEmptyDatabase(url: string, options: TargetOptions): Promise<BackendFactory> {
  const { target, remove } = await emptyTarget(url)
  const factory = await backendOf(target, options)
  return (context) => {
    const backend = factory(context)
    const close = backend.close.bind(backend)
    let closing: Promise<void> | undefined
    backend.close = () => {
      closing ??= close().then(async () => {
        await remove()
      })
      return closing
    }
    return backend
  }
}

async function emptyTarget(url: string): Promise<EmptyTarget> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  if (/^postgres(ql)?:/.test(url)) return newDatabase(url, name)
  if (!url.startsWith('sqlite:') || url === 'sqlite::memory:')
    return { target: url, remove: () => Promise.resolve(undefined) }
  const path = `${url.slice('sqlite:'.length)}.${name}`
  const files = ['', '-wal', '-shm'].map((ending) => path + ending)
  return { target: `sqlite:${path}`, remove: () => Promise.all(files.map((file) => rm(file, { force: true }))) }
}

async function newDatabase(url: string, name: string): Promise<EmptyTarget> {
  await runOn(url, `create database ${name}`)
  const target = new URL(url)
  target.pathname = `/${name}`
  return { target: target.href, remove: () => runOn(url, `drop database ${name} with (force)`) }
}

async function runOn(url: string, sql: string): Promise<void> {
  const { postgres } = await import('../backends/postgres/index.ts')
  const server = postgres({ url, max: 1 })({ models: new Map() })
  try {
    await server.open()
    await server.sql?.(sql, [])
  } finally {
    await server.close()
  }
}
