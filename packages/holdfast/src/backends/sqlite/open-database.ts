import type { Result } from '../../backend/index.ts'
import type { Models } from '../../schema/index.ts'
import { untilFree } from './busy.ts'
import { SqliteConnection } from './connection.ts'
import type { Driver } from './driver.ts'
import { Failures } from './failures.ts'
import { loadDriver } from './load-driver.ts'
import { MemoryReads } from './memory-reads.ts'
import { claimFile } from './open-files.ts'
import { fileOf, IN_MEMORY, openReader, openWriter, warnOfVersion } from './opening.ts'
import type { SqliteOptions } from './options.ts'
import { runSql } from './raw-sql.ts'
import { FileReads, type Reads } from './reads.ts'
import { applyChanges } from './schema.ts'
import { Wakes } from './wakes.ts'
import { Workers } from './workers.ts'
import { Writer } from './writer.ts'

const DEFAULT_BUSY_TIMEOUT_MS = 5_000

/** What an open database consists of. */
interface Parts {
  readonly reads: Reads
  readonly writer: Writer | undefined
  readonly wakes: Wakes
  readonly failures: Failures
  /** Gives up the claim on the file. */
  readonly release: () => void
}

/** An open database: who reads, who writes, and who is woken. */
export class OpenDatabase {
  readonly reads: Reads
  /** Not there where it was opened to be read only. */
  readonly writer: Writer | undefined
  readonly wakes: Wakes
  readonly #failures: Failures
  readonly #release: () => void

  constructor({ reads, writer, wakes, failures, release }: Parts) {
    this.reads = reads
    this.writer = writer
    this.wakes = wakes
    this.#failures = failures
    this.#release = release
  }

  /** Runs one statement as it stands: on a connection that reads, and where that cannot do it on the one that writes. */
  async sql(text: string, parameters: readonly unknown[]): Promise<Result> {
    const run = ({ database }: SqliteConnection): Result => runSql(database, text, parameters)
    try {
      return await this.reads.use(run)
    } catch (error) {
      const failure = this.#failures.translate(error) as { code?: unknown }
      if (failure.code !== 'READ_ONLY' || this.writer === undefined) throw failure
      return this.writer.use(run)
    }
  }

  /** Lets what runs finish, writes the log back into the file, and closes. */
  async close(): Promise<void> {
    this.wakes.close()
    try {
      await this.reads.close()
    } finally {
      await this.writer?.close()
      this.#release()
    }
  }
}

/**
 * Opens a database.
 *
 * @throws ConfigurationError for a path that cannot be a file, or without a driver; StorageError, code `CORRUPT`, for a file that
 *   is no database.
 */
export async function openDatabase(options: SqliteOptions, models: Models): Promise<OpenDatabase> {
  const driver = await loadDriver(options.driver)
  const failures = new Failures(driver, models)
  if (options.path === IN_MEMORY) return openInMemory(driver, options, models, failures)
  warnOfVersion(driver)
  const path = fileOf(options.path, options.readOnly === true)
  const release = claimFile(path, driver.name)
  try {
    return await openFile(driver, path, options, models, failures, release)
  } catch (error) {
    release()
    throw failures.translate(error)
  }
}

function openInMemory(driver: Driver, options: SqliteOptions, models: Models, failures: Failures): OpenDatabase {
  const { busyTimeoutMs = DEFAULT_BUSY_TIMEOUT_MS } = options
  const writer = writerOn(new SqliteConnection(openWriter(driver, IN_MEMORY, options)), options, models, failures)
  const reads = new MemoryReads(writer, failures, busyTimeoutMs)
  const wakes = new Wakes(() => undefined)
  return new OpenDatabase({
    reads,
    writer,
    wakes,
    failures,
    release: () => undefined,
  })
}

async function openFile(
  driver: Driver,
  path: string,
  options: SqliteOptions,
  models: Models,
  failures: Failures,
  release: () => void,
): Promise<OpenDatabase> {
  const { busyTimeoutMs = DEFAULT_BUSY_TIMEOUT_MS } = options
  const openAnother = () => openReader(driver, path)
  const connection =
    options.readOnly === true
      ? undefined
      : new SqliteConnection(await untilFree(() => openWriter(driver, path, options), failures, busyTimeoutMs), {
          syncs: options.durability !== 'relaxed',
        })
  try {
    const workers = new Workers({ driver: driver.name, path })
    const reads = new FileReads({ open: openAnother, workers, failures, busyTimeoutMs })
    const writer = connection === undefined ? undefined : writerOn(connection, options, models, failures)
    const wakes = new Wakes(() =>
      writer === undefined ? undefined : writer.useIfFree(({ dataVersion }) => dataVersion),
    )
    return new OpenDatabase({ reads, writer, wakes, failures, release })
  } catch (error) {
    connection?.database.close()
    throw error
  }
}

function writerOn(connection: SqliteConnection, options: SqliteOptions, models: Models, failures: Failures): Writer {
  return new Writer({
    connection,
    failures,
    busyTimeoutMs: options.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS,
    applyChanges: (on, changes, meant = models) =>
      applyChanges(on, changes, meant, (error, of) => failures.about(of).translate(error)),
  })
}
