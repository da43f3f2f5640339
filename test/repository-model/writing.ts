import { Refusal } from '../random-calls/refusal.ts'
import type { Key, Patch, Write } from './calls.ts'
import { holds } from './conditions.ts'
import { type Content, written } from './content.ts'
import { type Fields, type Name, RULES } from './schema.ts'
import { agreesIn, valueAt } from './values.ts'

/** What a call comes to: what it gives, and what is there after it. */
export interface Done {
  readonly value: unknown
  readonly content: Content
}

/** What Holdfast keeps in documents by itself. */
const KEPT = ['version', 'createdAt', 'updatedAt']

/**
 * Does a write.
 *
 * @throws Refusal
 */
export function write(call: Write, content: Content, now: Date): Done {
  switch (call.do) {
    case 'create': {
      const { value, content: after } = insert(content, call.model, [call.record], now)
      return { value: value[0], content: after }
    }
    case 'createMany':
      return insert(content, call.model, call.records, now)
    case 'save':
      return save(call, content, now)
    case 'upsert':
      return upsert(call, content, now)
    case 'update': {
      assertPatch(call.patch)
      const before = existing(content, call.model, call.key)
      assertVersion(before, call.ifVersion)
      return replace(content, call.model, before, patched(call.model, before, call.patch, now))
    }
    case 'updateMany': {
      assertPatch(call.patch)
      const added = Object.keys(call.patch.add ?? {})
      const isUnique = (name: string) => RULES[call.model].unique.some((fields) => fields.includes(name))
      if (added.some(isUnique)) throw new Refusal({ code: 'VALIDATION' })
      const found = content[call.model].filter((record) => holds(call.where, record))
      const changes = found.map((before) => ({ before, after: patched(call.model, before, call.patch, now) }))
      return { value: found.length, content: written(content, call.model, changes) }
    }
    case 'delete': {
      const before = find(content, call.model, call.key)
      const changes = before === undefined ? [] : [{ before }]
      return { value: before !== undefined, content: written(content, call.model, changes) }
    }
    case 'deleteMany': {
      const found = content[call.model].filter((record) => holds(call.where, record))
      const changes = found.map((before) => ({ before }))
      return { value: found.length, content: written(content, call.model, changes) }
    }
  }
}

/** The key of a record, or the fields of one that is meant, as an object. */
function keyOf(model: Name, key: Key): Fields {
  const { key: names } = RULES[model]
  return names.length === 1 ? { [names[0] as string]: key } : (key as Fields)
}

/** The record with a key. */
export function find(content: Content, model: Name, key: Key): Fields | undefined {
  return content[model].find((record) => agreesIn(record, keyOf(model, key), RULES[model].key))
}

/** The record with a key, which must be there. */
export function existing(content: Content, model: Name, key: Key): Fields {
  const record = find(content, model, key)
  if (record === undefined) throw new Refusal({ code: 'NOT_FOUND' })
  return record
}

function assertVersion(record: Fields, version: number | undefined): void {
  if (version !== undefined && record['version'] !== version)
    throw new Refusal({ code: 'CONFLICT_VERSION', fields: ['version'] })
}

/** The version is kept by Holdfast, or no field at all. */
function assertPatch({ set }: Patch): void {
  if ('version' in set) throw new Refusal({ code: 'VALIDATION' })
}

/** A record as it is stored when it is new. */
function complete(model: Name, record: Fields, now: Date): Fields {
  if ('version' in record) throw new Refusal({ code: 'VALIDATION' })
  const { defaults, versioned } = RULES[model]
  const given = { ...defaults, ...defined(record) }
  if (model === 'notes') return { ...given, version: 1, createdAt: now, updatedAt: now }
  return normal(versioned ? { ...given, version: 1 } : given)
}

function defined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** Decimals have two digits after the point. */
function normal(record: Fields): Fields {
  return 'budget' in record ? { ...record, budget: Number(record['budget']).toFixed(2) } : record
}

function insert(content: Content, model: Name, records: readonly Fields[], now: Date) {
  const value = records.map((record) => complete(model, record, now))
  return {
    value,
    content: written(
      content,
      model,
      value.map((after) => ({ after })),
    ),
  }
}

function replace(content: Content, model: Name, before: Fields, after: Fields): Done {
  return { value: after, content: written(content, model, [{ before, after }]) }
}

/** A write counts, and is the last one of a document. */
function counted(model: Name, record: Fields, now: Date): Fields {
  const versioned = RULES[model].versioned ? { version: Number(record['version']) + 1 } : {}
  return normal({ ...record, ...versioned, ...(model === 'notes' && { updatedAt: now }) })
}

function patched(model: Name, record: Fields, { set, add = {} }: Patch, now: Date): Fields {
  const added = Object.entries(add).map(([name, by]) => [name, sum(record, name, by)])
  const after = { ...record, ...defined(set), ...defined(Object.fromEntries(added)) }
  return counted(model, after, now)
}

/** A null stays null, and in documents so does what is no number; a field that a document does not have counts as 0. */
function sum(record: Fields, name: string, by: unknown): unknown {
  const stored = name in record ? record[name] : 0
  if (name === 'budget') return String(Number(stored) + Number(by))
  if (typeof stored === 'bigint') return stored + (by as bigint)
  return typeof stored === 'number' ? stored + (by as number) : stored
}

function save({ model, record, version }: Write & { do: 'save' }, content: Content, now: Date): Done {
  if (version === undefined || !RULES[model].versioned) return upsert({ do: 'upsert', model, record }, content, now)
  const before = existing(content, model, record['id'])
  assertVersion(before, version)
  const after = model === 'notes' ? instead(before, record, now) : patched(model, before, { set: record }, now)
  return replace(content, model, before, after)
}

/** A document whose content is replaced as a whole. */
function instead(before: Fields, record: Fields, now: Date): Fields {
  const kept = Object.fromEntries(['id', ...KEPT].map((name) => [name, before[name]]))
  return counted('notes', { ...defined(record), ...kept }, now)
}

function upsert({ model, record, on, update }: Write & { do: 'upsert' }, content: Content, now: Date): Done {
  const fields = on ?? RULES[model].key
  const proposed = complete(model, record, now)
  if (update !== undefined) assertPatch(update)
  const before = content[model].find((one) => agreesIn(one, proposed, fields))
  if (before === undefined) return replaceNothing(content, model, proposed)
  assertChecks(model, proposed)
  if (update !== undefined) return replace(content, model, before, patched(model, before, update, now))
  if (model === 'notes') return replace(content, model, before, instead(before, record, now))
  const given = Object.entries(record).filter(([name]) => !fields.includes(name))
  return replace(content, model, before, patched(model, before, { set: Object.fromEntries(given) }, now))
}

function replaceNothing(content: Content, model: Name, after: Fields): Done {
  return { value: after, content: written(content, model, [{ after }]) }
}

/** What is given must be a record that might be stored, also where another is changed instead. */
function assertChecks(model: Name, record: Fields): void {
  for (const [field, isMet] of Object.entries(RULES[model].checks)) {
    const value = valueAt(record, field)
    if (value !== null && !isMet(value as never)) throw new Refusal({ code: 'CONSTRAINT_CHECK', fields: [field] })
  }
}
