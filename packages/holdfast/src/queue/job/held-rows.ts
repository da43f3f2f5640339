import { all, type Condition, equals, oneOf } from '../../statement/index.ts'
import type { Job } from './job.ts'

/**
 * Whether a job is held under a lease. The row of one that was taken without is locked by the transaction that writes about it, so that nobody
 * else can have changed it.
 */
export function isLeased({ token }: Pick<Job, 'token'>): boolean {
  return token !== null
}

/** The name of a plan about jobs that are held so. */
export function heldKey(name: string, leased: boolean): string {
  return leased ? name : `${name} unleased`
}

/** The row of a job, if it is still held: parameters with its id and its token. */
export function heldRow(leased: boolean, id: number, token: number): Condition {
  return leased ? all(equals('id', id), equals('token', token)) : equals('id', id)
}

/** The rows of jobs that are still held: parameters with their ids and their tokens. */
export function heldRows(leased: boolean, ids: number, tokens: number): Condition {
  return leased ? all(oneOf('id', ids), oneOf('token', tokens)) : oneOf('id', ids)
}

/** Jobs that a transaction had locked are not there any more, since it ended them itself: it is to be undone. */
export class JobsGone extends Error {}
