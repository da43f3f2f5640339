import { InvalidArgumentError } from 'commander'

/**
 * Reads a number of things from the command line.
 *
 * @throws InvalidArgumentError
 */
export function readCount(text: string): number {
  const count = Number(text)
  if (Number.isSafeInteger(count) && count > 0) return count
  throw new InvalidArgumentError('It must be a whole number above 0.')
}
