/** What is needed of a Keyv store (https://keyv.org): an instance of `Keyv`, with Redis or whatever else behind it. */
export interface KeyvStore {
  /** The values under several keys. */
  get(keys: string[]): Promise<unknown>
  /** False where it was not done. */
  set(key: string, value: unknown, ttlMs?: number): Promise<unknown>
  delete(key: string): Promise<unknown>
  on(event: 'error', listener: (error: unknown) => void): unknown
  /** Pairs of key and value, where the store can list them. */
  iterator?: ((namespace?: string) => AsyncIterable<unknown>) | undefined
}

/** Whether a value is such a store. */
export function isKeyvStore(value: unknown): value is KeyvStore {
  if (typeof value !== 'object' || value === null) return false
  return ['get', 'set', 'delete', 'on'].every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
}
