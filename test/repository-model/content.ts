import { type Reason, Refusal } from '../random-calls/refusal.ts'
import { type Fields, MODELS, type Name, RULES, type Rules } from './schema.ts'
import { agreesIn, areEqual, valueAt } from './values.ts'

/** All records. Nothing in it is ever changed: what is written makes a content of its own. */
export type Content = Readonly<Record<Name, readonly Fields[]>>

/** Nothing. */
export const EMPTY: Content = { teams: [], people: [], seats: [], notes: [] }

/** What becomes of a record: one that is new has no `before`, one that goes has no `after`. */
export interface Change {
  readonly before?: Fields | undefined
  readonly after?: Fields | undefined
}

/**
 * The content after a statement that makes some changes to a model, and what follows from them.
 *
 * @throws Refusal where it would break rules of the schema.
 */
export function written(content: Content, model: Name, changes: readonly Change[]): Content {
  const after = followed({ ...content, [model]: replaced(content[model], changes) }, model, changes)
  const broken = MODELS.flatMap((name) => brokenIn(after, name))
  if (broken.length > 0) throw new Refusal(...broken)
  return after
}

function replaced(records: readonly Fields[], changes: readonly Change[]): readonly Fields[] {
  const becomes = new Map(changes.map(({ before, after }) => [before, after]))
  const kept = records.map((record) => (becomes.has(record) ? becomes.get(record) : record))
  const added = changes.filter(({ before }) => before === undefined).map(({ after }) => after)
  return [...kept, ...added].filter((record) => record !== undefined)
}

/** What those that refer to the changed records do about it, and those that refer to them. */
function followed(content: Content, to: Name, changes: readonly Change[]): Content {
  let now = content
  for (const model of MODELS)
    for (const { field, onDelete, onUpdate } of RULES[model].references.filter((reference) => reference.to === to)) {
      const following = now[model].flatMap((record): Change[] => {
        const [key] = RULES[to].key as [string]
        const left = changes.find(({ before }) => before !== undefined && before[key] === record[field])
        if (left === undefined || left.after?.[key] === record[field]) return []
        const action = left.after === undefined ? onDelete : onUpdate
        if (action === 'restrict') return []
        if (action === 'setNull') return [{ before: record, after: { ...record, [field]: null } }]
        return [{ before: record, after: left.after && { ...record, [field]: left.after[key] } }]
      })
      if (following.length > 0) now = followed({ ...now, [model]: replaced(now[model], following) }, model, following)
    }
  return now
}

function brokenIn(content: Content, model: Name): Reason[] {
  const { key, unique, checks, references }: Rules = RULES[model]
  const records = content[model]
  const refused = Object.entries(checks)
    .filter(([field, isMet]) => records.some((record) => record[field] !== null && !isMet(record[field] as never)))
    .map(([field]) => ({ code: 'CONSTRAINT_CHECK', fields: [field] }))
  const colliding = [key, ...unique]
    .filter((fields) => records.some((one, at) => records.some((other, n) => n < at && agreesIn(one, other, fields))))
    .map((fields) => ({ code: 'CONFLICT_UNIQUE', fields }))
  const dangling = references
    .filter(({ field, to }) =>
      records.some((record) => {
        const value = valueAt(record, field)
        return value !== null && !content[to].some(({ id }) => areEqual(id, value, field))
      }),
    )
    .map(({ field }) => ({ code: 'CONSTRAINT_FOREIGN_KEY', fields: [field] }))
  return [...refused, ...colliding, ...dangling]
}
