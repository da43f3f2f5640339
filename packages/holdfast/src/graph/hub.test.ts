import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { programPath } from '../../../../test/program-path.ts'
import { testBackends } from '../../../../test/targets.ts'

/** How many neighbours the node has; a million take some minutes. */
const size = Number(process.env['HOLDFAST_HUB_SIZE'] ?? 20_000)
/** The ids of what is within reach, and the nodes that are given, are all that may be held at once. */
const heapMegabytes = 40 + Math.ceil(size / 1_000)

// In memory the graph itself would be most of what is held.
describe.each(testBackends.filter(({ name }) => name !== 'memory'))(
  'a node with very many neighbours on $name',
  ({ fresh }) => {
    it('is paged through, counted, walked from, passed by and removed with little memory', {
      timeout: 900_000,
    }, async () => {
      const { target, drop } = await fresh()
      const options = [`--max-old-space-size=${heapMegabytes}`, programPath('hub.ts'), target, String(size)]
      const { stdout } = await promisify(execFile)(process.execPath, options)
      const found = Object.fromEntries(
        stdout
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line)),
      )
      const [first, second] = ['n00000001', 'n00000002']
      expect(found).toEqual({
        pages: [Math.ceil(size / 1_000), size],
        degree: size,
        near: size + 1,
        further: size + 1,
        steps: 2,
        around: [first, 'hub', second],
        miles: 5,
        removed: true,
        left: [0, 1],
      })
      await drop()
    })
  },
)
