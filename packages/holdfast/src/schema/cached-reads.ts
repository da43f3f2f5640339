import { describe } from './describe.ts'

/** For how long reads may be answered with what was read before, while this process writes nothing of it. */
export interface CachedReads {
  readonly ttlMs: number
}

/** Why a value says nothing of caching; undefined where it does. */
export function checkCachedReads(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Object.keys(value).join() !== 'ttlMs')
    return `must be { ttlMs }, got ${describe(value)}`
  const { ttlMs } = value as { ttlMs: unknown }
  const fits = typeof ttlMs === 'number' && Number.isFinite(ttlMs) && ttlMs > 0
  return fits ? undefined : `must have a ttlMs above 0, got ${describe(ttlMs)}`
}
