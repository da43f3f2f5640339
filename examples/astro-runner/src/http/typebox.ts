/** TypeBox as the validator and the types of Fastify's routes. */

import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifySchemaCompiler,
  FastifyTypeProvider,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import { ValidationError } from 'holdfast'
import type { Static, TSchema } from 'typebox'
import { standard } from '../standard.ts'

interface TypeBoxProvider extends FastifyTypeProvider {
  readonly validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown
  readonly serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown
}

/** A Fastify server whose handlers are typed by the TypeBox schemas of their routes. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxProvider
>

/** Refuses a request as Holdfast refuses a record, so that both reach the client in one form. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart = 'request' }) => {
  const { validate } = standard(schema, { convert: httpPart !== 'body' })['~standard']
  return (input: unknown) => {
    const result = validate(input)
    if (result instanceof Promise) throw new TypeError('TypeBox validates synchronously')
    if (result.issues === undefined) return { value: result.value }
    const issues = result.issues.map(({ path = [], message }) => ({ path: path.join('.'), reason: message }))
    return { error: new ValidationError(`The ${httpPart} was refused`, issues) }
  }
}
