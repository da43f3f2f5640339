import { it } from 'vitest'
import { describeConformance } from '../../../../../test/conformance.ts'
import { testBackends } from '../../../../../test/targets.ts'
import { postgres } from '../../backends/postgres/index.ts'

const servers = testBackends.filter(({ name }) => name.startsWith('postgres'))
for (const { name, fresh } of servers) {
  describeConformance(name, async () => {
    const { target, drop } = await fresh()
    return { backend: postgres({ url: target }), remove: drop }
  })
}

if (servers.length < 2) {
  it('a Postgres of your own', ({ skip }) => skip('TEST_POSTGRES_URL names no server'))
}
