/** What all sources come down to: an event at a venue, with its artists. */
export interface Listing {
  readonly venue: { readonly name: string; readonly address?: string | undefined }
  readonly title: string
  /** An ISO time in UTC. */
  readonly startsAt: string
  readonly artists: readonly string[]
}

/** An id that is the same for the same thing, whoever lists it: `venue:blue-hall`. */
export function idOf(label: 'venue' | 'artist', name: string): string {
  return `${label}:${slug(name)}`
}

/** Two listings of one venue at one time are one event. */
export function eventIdOf({ venue, startsAt }: Listing): string {
  return `event:${slug(venue.name)}:${startsAt.slice(0, 16)}`
}

function slug(name: string): string {
  const plain = name.normalize('NFKD').replaceAll(/\p{Mark}/gu, '')
  return plain
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-|-$/g, '')
}
