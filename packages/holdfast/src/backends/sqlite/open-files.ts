import { statSync } from 'node:fs'
import { ConfigurationError } from '../../base/errors.ts'
import type { DriverName } from './driver.ts'

interface OpenFile {
  readonly driver: DriverName
  count: number
}

const REGISTRY = Symbol.for('holdfast.sqlite.files')

/**
 * The files that are open in this process and by which driver, kept for all copies of this package. Two SQLite libraries on
 * one file in one process cancel each other's POSIX locks, and another process' acknowledged commits can vanish:
 * https://sqlite.org/howtocorrupt.html#multiple_copies_of_sqlite_linked_into_the_same_application
 */
function files(): Map<string, OpenFile> {
  const holder = globalThis as { [REGISTRY]?: Map<string, OpenFile> }
  holder[REGISTRY] ??= new Map()
  return holder[REGISTRY]
}

/**
 * Notes that a driver is about to open a file; gives the function that notes that it has closed it.
 *
 * @throws ConfigurationError when another driver has it open.
 */
export function claimFile(path: string, driver: DriverName): () => void {
  const key = identityOf(path)
  const open = files().get(key) ?? { driver, count: 0 }
  if (open.driver !== driver) {
    throw new ConfigurationError(
      `The file ${path} is open in this process with ${open.driver}; opening it with ${driver} could lose data.`,
      {
        hint: 'Use one driver for a file.',
      },
    )
  }
  open.count++
  files().set(key, open)
  return () => {
    open.count--
    if (open.count === 0) files().delete(key)
  }
}

/** What a file is, by whatever name. */
function identityOf(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true })
  return `${dev}:${ino}`
}
