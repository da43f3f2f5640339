import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const source = new URL('./packages/holdfast/src/', import.meta.url).pathname

export default defineConfig({
  resolve: {
    // Tests run the sources; the doors are those of packages/holdfast/package.json.
    alias: [
      { find: /^holdfast$/, replacement: `${source}index.ts` },
      { find: /^holdfast\/(memory|sqlite|postgres)$/, replacement: `${source}backends/$1/index.ts` },
      { find: /^holdfast\/opentelemetry$/, replacement: `${source}opentelemetry/index.ts` },
      { find: /^holdfast\/testing$/, replacement: `${source}testing/index.ts` },
    ],
  },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'examples/*/**/*.test.ts', 'docs/**/*.test.ts'],
    // One more than there are cores: many tests wait for other processes or for time to pass.
    maxWorkers: Math.max(3, availableParallelism() + 1),
    globalSetup: ['./test/programs.setup.ts', './test/postgres.setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
