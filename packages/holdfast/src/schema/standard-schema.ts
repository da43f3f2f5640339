import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ConfigurationError, type Issue } from '../base/errors.ts'
import { describe } from './describe.ts'

/** Adds an issue unless it is a Standard Schema. */
export function checkStandard(schema: unknown, path: string, issues: Issue[]): void {
  const given = schema as Partial<StandardSchemaV1> | null | undefined
  if (typeof given?.['~standard']?.validate !== 'function')
    issues.push({ path, reason: `must be a Standard Schema, such as one of Zod, got ${describe(schema)}` })
}

/**
 * Runs a Standard Schema (https://standardschema.dev) on a value.
 *
 * @returns its output; meaningless when issues were added.
 * @throws ConfigurationError when the schema validates asynchronously, throws, or answers with something else than a Standard Schema does.
 */
export function validateStandard(schema: StandardSchemaV1, value: unknown, path: string, issues: Issue[]): unknown {
  const result = runStandard(schema, value, path)
  if (result.issues === undefined) return result.value
  for (const issue of result.issues) {
    const inner = (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step))
    issues.push({
      path: [path, ...inner].filter((step) => step !== '').join('.'),
      reason: `is refused: ${issue.message}`,
    })
  }
  if (result.issues.length === 0) issues.push({ path, reason: 'is refused by its schema, which gives no reason' })
  return undefined
}

function runStandard(schema: StandardSchemaV1, value: unknown, path: string): StandardSchemaV1.Result<unknown> {
  const { vendor } = schema['~standard']
  const subject = path === '' ? `The ${vendor} schema` : `The ${vendor} schema of ${path}`
  let result: unknown
  try {
    result = schema['~standard'].validate(value)
  } catch (cause) {
    throw new ConfigurationError(`${subject} threw instead of answering.`, {
      hint: 'Let its checks return what they find; see the cause for what was thrown.',
      cause,
    })
  }
  if (typeof (result as { then?: unknown } | null | undefined)?.then === 'function') {
    // Nobody waits for it, and what it comes to must not end the process.
    Promise.resolve(result).catch(() => undefined)
    throw new ConfigurationError(`${subject} validates asynchronously.`, {
      hint: 'Use a schema without asynchronous checks for stored values.',
    })
  }
  const { issues } = (typeof result === 'object' && result !== null ? result : {}) as { issues?: unknown }
  if (
    Array.isArray(issues) ||
    (issues === undefined && typeof result === 'object' && result !== null && 'value' in result)
  )
    return result as StandardSchemaV1.Result<unknown>
  throw new ConfigurationError(
    `${subject} answered with ${describe(result)}, which is not a result of a Standard Schema.`,
    {
      hint: 'Its validate() must give { value } or { issues }.',
    },
  )
}
