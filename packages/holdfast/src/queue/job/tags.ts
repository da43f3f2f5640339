import type { Issue } from '../../base/errors.ts'
import { checkName, describe } from '../../schema/index.ts'

/** Tags as they are kept, each once. What is wrong with them is added to `issues`. */
export function acceptTags(tags: unknown, path: string, issues: Issue[]): readonly string[] {
  if (tags === undefined) return NONE
  if (!Array.isArray(tags)) {
    issues.push({ path, reason: `must be a list of texts, got ${describe(tags)}` })
    return NONE
  }
  for (let index = 0; index < tags.length; index++) checkName(tags[index], `${path}.${index}`, issues)
  return [...new Set(tags as string[])]
}

const NONE: readonly string[] = []
