import { it } from 'vitest'
import { describeConformance } from '../../../../../test/conformance.ts'
import { freshDatabase } from '../../../../../test/targets.ts'
import { postgres } from '../../backends/postgres/index.ts'
import { conformanceCases } from './index.ts'

/** Where it matters that a session is shared. Making a database for each case takes long, so only a PgBouncer of yours is tried with all. */
const SESSIONS = ['transactions', 'savepoints', 'isolation', 'stream', 'batch', 'sql', 'watch']

const pooler = process.env['TEST_PGBOUNCER_URL']
const isYours = process.env['TEST_PGBOUNCER_SERVER_URL'] === undefined
if (pooler === undefined) {
  it('PgBouncer', ({ skip }) => skip('PgBouncer is not installed, and TEST_PGBOUNCER_URL names none'))
} else {
  const newDatabase = async () => {
    const { target, drop } = await freshDatabase(pooler)
    return { backend: postgres({ url: target, prepare: false }), remove: drop }
  }
  const cases = conformanceCases.filter(({ id }) => isYours || SESSIONS.includes(id.slice(0, id.indexOf('/'))))
  describeConformance('postgres through PgBouncer in transaction mode', newDatabase, { cases })
}
