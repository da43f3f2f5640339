/**
 * `node --import ./test/sources.ts program.ts`: lets a program that a test starts take `holdfast` from its sources, as vitest.config.ts does
 * for the tests themselves.
 */
import { registerHooks } from 'node:module'

registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== 'holdfast') return next(specifier, context)
    return next(new URL('../packages/holdfast/src/index.ts', import.meta.url).href, context)
  },
})
