import { isDeepStrictEqual } from 'node:util'
import { type Issue, ValidationError } from '../../base/errors.ts'
import { acceptJson, type QueueDeclaration, validateStandard } from '../../schema/index.ts'
import type { Job } from './job.ts'

/** The version of payloads whose queue was not declared by those who enqueued them. */
export const UNVERSIONED = 0

/** The version of the payloads of a queue; undefined where this process does not declare it. */
export function versionOf(declaration: QueueDeclaration | undefined): number | undefined {
  return declaration === undefined ? undefined : (declaration.options.version ?? 1)
}

/** The latest version that this process can handle: any, of a queue that it does not declare. */
export function latestKnown(declaration: QueueDeclaration | undefined): number {
  return versionOf(declaration) ?? Number.MAX_SAFE_INTEGER
}

/** Checks a payload that is enqueued, and gives it as it is stored. What is wrong is added to `issues`. */
export function acceptPayload(
  declaration: QueueDeclaration | undefined,
  data: unknown,
  path: string,
  issues: Issue[],
): unknown {
  const before = issues.length
  const output = declaration?.schema === undefined ? data : validateStandard(declaration.schema, data, path, issues)
  if (issues.length > before || output === undefined) return null
  const accepted = acceptJson(output, path, issues)
  if (issues.length > before) return null
  checkTakesWhatItGives(declaration, data, accepted, path, issues)
  const most = declaration?.options.maxPayloadBytes
  if (most === undefined) return accepted
  const bytes = Buffer.byteLength(JSON.stringify(accepted))
  if (bytes > most)
    issues.push({ path, reason: `is ${bytes} bytes of JSON, and the queue takes ${most}: keep large things elsewhere` })
  return accepted
}

/** Better now than when it is to be handled. Only what the schema changed is looked at, since that it takes the rest was just seen. */
function checkTakesWhatItGives(
  declaration: QueueDeclaration | undefined,
  data: unknown,
  accepted: unknown,
  path: string,
  issues: Issue[],
): void {
  if (declaration?.schema === undefined || isDeepStrictEqual(accepted, data)) return
  const refused: Issue[] = []
  validateStandard(declaration.schema, accepted, path, refused)
  for (const { path: where, reason } of refused)
    issues.push({
      path: where,
      reason: `${reason}, once the schema has changed it; a schema of a queue must take what it gives`,
    })
}

/** Whether a payload of a version is to be brought to that of this process. */
function needsUpgrade(declaration: QueueDeclaration | undefined, version: number): boolean {
  return declaration?.options.upgrade !== undefined && version !== UNVERSIONED && version < latestKnown(declaration)
}

/** Brings a payload to the version of this process. What is wrong is added to `issues`. */
export function upgradePayload(
  declaration: QueueDeclaration | undefined,
  data: unknown,
  version: number,
  path: string,
  issues: Issue[],
): unknown {
  if (!needsUpgrade(declaration, version)) return data
  try {
    return declaration?.options.upgrade?.(data, version)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    issues.push({ path, reason: `cannot be brought from version ${version} to ${latestKnown(declaration)}: ${reason}` })
    return data
  }
}

/**
 * A job as its handler is given it: its payload brought to the version of this process, and checked.
 *
 * @throws ValidationError for a payload that other code enqueued and this code does not take.
 */
export function openJob(declaration: QueueDeclaration | undefined, job: Job): Job {
  const upgraded = needsUpgrade(declaration, job.version)
  const schema = declaration?.schema
  if (!upgraded && schema === undefined) return job
  const issues: Issue[] = []
  let data = upgradePayload(declaration, job.data, job.version, 'data', issues)
  if (schema !== undefined && issues.length === 0) data = validateStandard(schema, data, 'data', issues)
  // It is kept as it is given, so it must be what can be kept; what was enqueued was checked then.
  if (upgraded && issues.length === 0) data = data === undefined ? null : acceptJson(data, 'data', issues)
  if (issues.length > 0) throw new ValidationError(`The job ${job.id} of ${job.queue} cannot be handled`, issues)
  return { ...job, data, version: upgraded ? latestKnown(declaration) : job.version }
}

/**
 * What a handler returned, as it is kept.
 *
 * @throws ValidationError for what the queue's schema of results refuses: the attempt has failed. TypeError for what is not JSON.
 */
export function acceptResult(declaration: QueueDeclaration | undefined, queue: string, result: unknown): unknown {
  if (declaration?.resultSchema === undefined) return result
  const issues: Issue[] = []
  const output = validateStandard(declaration.resultSchema, result, 'result', issues)
  if (issues.length > 0) throw new ValidationError(`The result of a job of ${queue} was refused`, issues)
  return output
}
