/** TypeBox schemas as Standard Schemas (https://standardschema.dev), which is what Holdfast takes. Zod and others need no such thing. */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Static, TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { Clone } from 'typebox/value'

/**
 * The Standard Schema of a TypeBox schema: defaults are filled in, and everything that is wrong is named with its path.
 *
 * @param options.convert reads numbers and booleans from text, for query strings.
 */
export function standard<Schema extends TSchema>(
  schema: Schema,
  { convert = false }: { readonly convert?: boolean } = {},
): StandardSchemaV1<Static<Schema>, Static<Schema>> {
  const compiled = Compile(schema)
  return {
    '~standard': {
      version: 1,
      vendor: 'typebox',
      validate(input) {
        const filled = compiled.Default(Clone(input))
        const value = convert ? compiled.Convert(filled) : filled
        if (compiled.Check(value)) return { value: value as Static<Schema> }
        return { issues: compiled.Errors(value).flatMap(issuesOf) }
      },
    },
  }
}

type TypeBoxError = ReturnType<Validator['Errors']>[number]

/** TypeBox names an object that lacks fields or has unknown ones; people look for the field. */
function issuesOf(error: TypeBoxError): StandardSchemaV1.Issue[] {
  const path = error.instancePath.split('/').slice(1)
  switch (error.keyword) {
    case 'required':
      return error.params.requiredProperties.map((name) => ({ path: [...path, name], message: 'is required' }))
    case 'additionalProperties':
      return [] // Each unknown field is an error of its own: the next case.
    case 'boolean':
      return [{ path, message: 'is no known field' }]
    case 'enum':
      return [{ path, message: `must be one of ${error.params.allowedValues.join(', ')}` }]
    default:
      return [{ path, message: error.message }]
  }
}
