import type { Listing } from '../listing.ts'

/** One thing a source lists, as it came. */
export interface Fetched {
  readonly externalId: string
  readonly content: unknown
}

/** Somewhere that lists events. Fetching keeps what came as it is; reading it is a step of its own, which can be done again. */
export interface Source {
  readonly name: string
  /** Asks the source for all that it lists. */
  fetchAll(baseUrl: string): AsyncIterable<Fetched>
  /** @throws ZodError or TypeError for what cannot be read. */
  read(content: unknown): Listing
}

/** @throws TypeError when the source does not answer well. */
export async function fetchFrom(url: string): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) })
  if (!response.ok) throw new TypeError(`${url} answered ${response.status}`)
  return response
}
