import { describe, expect, it } from 'vitest'
import { defineSchema, t, table } from '../../schema/index.ts'
import { translateConnectError, translateError } from './errors.ts'

const { models } = defineSchema({
  users: table({
    id: t.integer().primaryKey(),
    email: t.text().unique(),
    boss: t.integer().nullable().references('users'),
  }),
})
const subject = { server: 'Postgres at db:5432', statementTimeoutMs: 100, models }

function serverError(code: string, fields: object = {}): Error {
  return Object.assign(new Error('what the server says'), { code, severity: 'ERROR', ...fields })
}

describe('an error of the server', () => {
  it.each([
    ['23505', { constraint: 'users_email_unique' }, { name: 'ConflictError', model: 'users', fields: ['email'] }],
    ['23503', { constraint: 'users_boss_foreign' }, { name: 'ConstraintError', model: 'users', fields: ['boss'] }],
    ['23514', { constraint: 'users__id_range' }, { name: 'ConstraintError', model: 'users', fields: ['id'] }],
    ['23502', { table: 'users', column: 'email' }, { code: 'CONSTRAINT_NOT_NULL', model: 'users', fields: ['email'] }],
    ['40001', {}, { name: 'SerializationError', retryable: true }],
    ['40P01', {}, { name: 'SerializationError', retryable: true }],
    ['57014', {}, { name: 'TimeoutError' }],
    ['55P03', {}, { name: 'TimeoutError' }],
    ['25P02', {}, { name: 'StorageError', code: 'TRANSACTION_FAILED' }],
    ['25006', {}, { name: 'StorageError', code: 'READ_ONLY' }],
    ['53100', {}, { name: 'StorageError', code: 'DISK_FULL' }],
    ['XX001', {}, { name: 'StorageError', code: 'CORRUPT' }],
    ['XX002', {}, { name: 'StorageError', code: 'CORRUPT' }],
    ['53300', {}, { name: 'ConnectionError', retryable: true }],
    ['28P01', {}, { name: 'ConnectionError', retryable: false }],
    ['28000', {}, { name: 'ConnectionError', retryable: false }],
    ['3D000', {}, { name: 'ConnectionError', retryable: false }],
    ['57P01', {}, { name: 'ConnectionError', retryable: true }],
    ['57P02', {}, { name: 'ConnectionError', retryable: true }],
    ['57P03', {}, { name: 'ConnectionError', retryable: true }],
    ['08006', {}, { name: 'ConnectionError', retryable: true }],
    ['42601', {}, { name: 'StorageError', code: 'DRIVER', retryable: false }],
  ])('%s has a name of ours and keeps its cause', (code, fields, expected) => {
    const cause = serverError(code, fields)
    expect(translateError(cause, subject)).toMatchObject({ ...expected, cause })
  })
})

describe('an error of the connection', () => {
  it('names the server, and may be repeated', () => {
    const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    expect(translateError(cause, subject)).toMatchObject({
      name: 'ConnectionError',
      retryable: true,
      message: 'The connection to Postgres at db:5432 was lost: read ECONNRESET.',
      cause,
    })
  })

  it('says what went wrong where several addresses were tried', () => {
    const cause = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
    expect(translateConnectError(cause, subject).message).toBe('Postgres at db:5432 cannot be reached: ECONNREFUSED.')
  })

  it('of ours stays as it is', () => {
    const own = translateError(serverError('40001'), subject)
    expect(translateError(own, subject)).toBe(own)
  })
})
