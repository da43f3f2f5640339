/**
 * `node --import ./test/sources.ts program.ts`: lets a program that a test starts take `holdfast` from its sources, as vitest.config.ts does
 * for the tests themselves; they are built by programs.setup.ts.
 */
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { programPath } from './program-path.ts'

const holdfast = pathToFileURL(programPath('holdfast.ts')).href

registerHooks({
  resolve(specifier, context, next) {
    return next(specifier === 'holdfast' ? holdfast : specifier, context)
  },
})
