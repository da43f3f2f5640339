import { v7 } from 'uuid'

/**
 * A new identifier: a UUID of version 7 (RFC 9562), so that ids made later sort later.
 *
 * @returns 36 characters, lower case.
 */
export function newId(): string {
  return v7()
}
