import type { Row } from '../backend/index.ts'
import type { Clock } from '../base/clock.ts'
import { ConfigurationError, type Issue, isHoldfastError } from '../base/errors.ts'
import { newId } from '../base/ids.ts'
import type { Model, ModelColumn } from '../schema/index.ts'

/** Why a name was refused, as every backend words it. */
export const UNKNOWN_FIELD = 'is not a field of'

/** Why a field was refused that Holdfast counts or sets by itself. */
export const KEPT = 'is kept by Holdfast and cannot be given'

/**
 * Checks a new row of a table: adds the values of its columns to `values`, without a generated key that was left out, and what is wrong
 * to `issues`. Gives the record as the user will see it, whose members stand in the order of the columns.
 */
export type AcceptRow = (input: Row, clock: Clock, issues: Issue[], values: unknown[]) => Row

const acceptors = new WeakMap<Model, AcceptRow>()

/** The acceptor of a table, made when it is first needed. */
export function rowAcceptor(model: Model): AcceptRow {
  let acceptor = acceptors.get(model)
  if (acceptor === undefined) {
    acceptor = generate(model)
    acceptors.set(model, acceptor)
  }
  return acceptor
}

/**
 * It is generated, because it runs for every row of a bulk insert: with the members written out, the engine knows where each one lies, and an
 * object literal makes the record at once. Measured on rows of eight columns, 0.3 µs a row against 0.66 µs for a loop over the columns.
 * Each member of the input is read once: what is asked for twice may answer twice.
 */
function generate(model: Model): AcceptRow {
  const { columns } = model
  const version = model.versioned ? columns.findIndex(({ name }) => name === 'version') : -1
  const code = `
    const [${columns.map((_, at) => `accept${at}`).join(', ')}] = columns.map(({ accept }) => accept)
    return (input, clock, issues, values) => {
      let names = 0
      for (const _ in input) names++
      let known = 0
      ${columns.map(readingColumn).join('')}
      ${version < 0 ? '' : `if (given${version} !== undefined) issues.push({ path: 'version', reason: KEPT })`}
      ${columns.map(acceptingColumn).join('')}
      if (names > known) refuseUnknown(input, issues)
      return { ${columns.map(({ name }, at) => `${JSON.stringify(name)}: accepted${at}`).join(', ')} }
    }`
  const refuseUnknown = (input: Row, issues: Issue[]): void => {
    for (const name in input)
      if (!model.byName.has(name)) issues.push({ path: name, reason: `${UNKNOWN_FIELD} ${model.name}` })
  }
  const nothing = (column: ModelColumn, given: null | undefined, issues: Issue[]): null =>
    acceptNothing(model, column, given, column.name, issues)
  const names = ['columns', 'KEPT', 'defaultOf', 'nothing', 'refuseUnknown']
  return new Function(...names, code)(columns, KEPT, defaultOf, nothing, refuseUnknown) as AcceptRow
}

function readingColumn({ name }: ModelColumn, at: number): string {
  const quoted = JSON.stringify(name)
  return `
      let given${at} = input[${quoted}], accepted${at}
      if (given${at} !== undefined || ${quoted} in input) known++`
}

function acceptingColumn({ name, default: given, generated }: ModelColumn, at: number): string {
  const accepting = `
      accepted${at} = given${at} == null ? nothing(columns[${at}], given${at}, issues) : accept${at}(given${at}, ${JSON.stringify(name)}, issues)
      values.push(accepted${at})`
  return `
      ${given === undefined ? '' : `if (given${at} === undefined) given${at} = defaultOf(columns[${at}], clock)`}
      ${generated ? `if (given${at} !== undefined) {${accepting} }` : accepting}`
}

/** Checks a value for a column, null included. */
export function acceptValue(model: Model, column: ModelColumn, value: unknown, path: string, issues: Issue[]): unknown {
  return value === null ? acceptNothing(model, column, null, path, issues) : column.accept(value, path, issues)
}

function acceptNothing(
  model: Model,
  column: ModelColumn,
  given: null | undefined,
  path: string,
  issues: Issue[],
): null {
  if (!column.nullable) {
    const wish = `may not be null; declare ${model.name}.${column.name} .nullable() to allow it`
    issues.push({ path, reason: given === null ? wish : 'is required' })
  }
  return null
}

function defaultOf(column: ModelColumn, clock: Clock): unknown {
  switch (column.default?.kind) {
    case undefined:
      return undefined
    case 'value':
      return column.default.value
    case 'function':
      return madeDefault(column, column.default.make)
    case 'now':
      return new Date(clock.now())
    case 'id':
      return newId()
  }
}

/** @throws ConfigurationError where the function of a default throws. */
function madeDefault({ name }: ModelColumn, make: () => unknown): unknown {
  try {
    return make()
  } catch (cause) {
    if (isHoldfastError(cause)) throw cause
    throw new ConfigurationError(`The function that makes the default of ${name} threw.`, {
      hint: 'Correct the function in the schema, or give a value; see the cause for what it threw.',
      cause,
    })
  }
}
