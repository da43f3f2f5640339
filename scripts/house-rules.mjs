/** The house rules of CONTRIBUTING.md that a program can see. Gives every breach as one line. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const MAX_LINES = 500

const rules = [
  {
    what: 'a name that says nothing',
    applies: (path) => /(^|\/)(utils?|helpers?|common|misc|manager|service)(\.[a-z.]+|\/)/.test(path),
  },
  {
    what: `more than ${MAX_LINES} lines`,
    applies: (path, text) => isCode(path) && text.split('\n').length > MAX_LINES,
  },
  {
    what: 'something unfinished or switched off',
    applies: (path, text) =>
      isCode(path) && /\b(TODO|FIXME)\b|\b(it|test|describe|suite)\.(only|todo)\b|@ts-(ignore|nocheck)/.test(text),
  },
  {
    what: 'a test skipped without a reason',
    applies: (path, text) => path.includes('.test.') && /\b(it|test|describe|suite)\.skip\(/.test(text),
  },
  {
    what: 'an address of a registry or a path of one machine',
    applies: (_, text) => /registry\.npmjs|"resolved": "http|(^|[\s'"`(])\/(root|work|home\/\w+)\//m.test(text),
  },
]

function isCode(path) {
  return /\.(ts|mjs|cjs)$/.test(path) && path !== 'scripts/house-rules.mjs'
}

/** @returns {string[]} */
export function breaches() {
  const paths = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { encoding: 'utf8' }).split('\n')
  return paths
    .filter((path) => path !== '' && path !== 'scripts/house-rules.mjs')
    .flatMap((path) => {
      const text = readText(path)
      return rules.filter((rule) => rule.applies(path, text)).map((rule) => `${path}: ${rule.what}`)
    })
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return '' // listed by git, deleted in the work tree
    throw error
  }
}
