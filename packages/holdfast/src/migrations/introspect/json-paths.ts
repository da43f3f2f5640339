import { typeScriptName } from '../../schema/names.ts'

/** The paths into JSON that an index is over: `json_type("data", '$."owner"."team"')`, `jsonb_typeof(((data -> 'owner'::text) -> 'team'::text))`. */
export function pathsIn(text: string): string[] {
  const found = new Set<string>()
  for (const [, column, path] of text.matchAll(/json_type\("((?:[^"]|"")*)", '\$((?:\."(?:[^"])*")+)'\)/g))
    found.add(
      [typeScriptName(column as string), ...[...(path as string).matchAll(/\."([^"]*)"/g)].map(([, one]) => one)].join(
        '.',
      ),
    )
  for (const [, inner] of text.matchAll(/jsonb_typeof\((.*?)\)\s+(?:when|=)/gi)) {
    const column = /^\(*"?(\w+)"? ->/.exec(inner as string)?.[1]
    const steps = [...(inner as string).matchAll(/-> '([^']*)'/g)].map(([, one]) => one)
    if (column !== undefined) found.add([typeScriptName(column), ...steps].join('.'))
  }
  return [...found]
}
