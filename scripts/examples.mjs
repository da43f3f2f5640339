/**
 * Writes down the examples of doc comments and the snippets of the guides, for `tsc -p test/examples`. An example becomes a function; the
 * names that it uses come from Holdfast, or from `test/examples/names.ts`. A snippet is a program already.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const SOURCES = 'packages/holdfast/src'
const NAMES = 'test/examples/names.ts'
const TARGET = 'test/examples/.snippets'
/** Where users import from, and the file that says what they find there. */
const DOORS = {
  holdfast: 'index.ts',
  'holdfast/memory': 'backends/memory/index.ts',
  'holdfast/sqlite': 'backends/sqlite/index.ts',
  'holdfast/postgres': 'backends/postgres/index.ts',
  'holdfast/testing': 'testing/index.ts',
}

/** Gives how many there are. */
export function writeExamples() {
  const programs = [...examples(), ...snippets()]
  rmSync(TARGET, { recursive: true, force: true })
  mkdirSync(TARGET, { recursive: true })
  for (const { file, line, code } of programs)
    writeFileSync(join(TARGET, `${file.replaceAll(/\W+/g, '-')}-${line}.ts`), code)
  return programs.length
}

function snippets() {
  const guides = readdirSync('docs', { recursive: true }).map((page) => join('docs', page))
  return ['README.md', 'packages/holdfast/README.md', ...guides]
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) =>
      fences(readFileSync(file, 'utf8'), /^```ts\n([\s\S]*?)^```$/gm).map((found) => ({ file, ...found })),
    )
}

function examples() {
  const doors = [
    [relative(TARGET, NAMES), exportsOf(NAMES)],
    ...Object.entries(DOORS).map(([door, file]) => [door, exportsOf(join(SOURCES, file))]),
  ]
  return readdirSync(SOURCES, { recursive: true })
    .filter((file) => file.endsWith('.ts') && !/\.test(-d)?\.ts$/.test(file))
    .flatMap((file) => {
      const path = join(SOURCES, file)
      const found = fences(readFileSync(path, 'utf8'), /^ +\* ```ts\n([\s\S]*?)^ +\* ```$/gm)
      const from = [...doors, [relative(TARGET, path), exportsOf(path)]]
      return found.map(({ line, code }) => ({ file, line, code: asProgram(code.replace(/^ +\* ?/gm, ''), from) }))
    })
}

function fences(text, pattern) {
  return [...text.matchAll(pattern)].map(({ index, 1: code }) => ({
    line: text.slice(0, index).split('\n').length,
    code,
  }))
}

/** An example behind imports of the names in it, each from the first place that has it. */
function asProgram(code, from) {
  const own = code.match(/^import .*$/gm) ?? []
  const left = namesIn(code).difference(namesIn(own.join()))
  const imports = from.flatMap(([path, exported]) => {
    const found = exported.filter((name) => left.delete(name))
    return found.length === 0 ? [] : [`import { ${found.join(', ')} } from '${path}'`]
  })
  const rest = code.replace(/^import .*$/gm, '')
  return [...imports, ...own, 'export async function example() {', rest, '}', ''].join('\n')
}

function namesIn(code) {
  return new Set(code.match(/[\p{ID_Start}_$][\p{ID_Continue}$]*/gu))
}

/** The names that a file exports, those of files that it exports whole included. */
function exportsOf(file) {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
  const declared = text.matchAll(
    /^export (?:(?:declare|abstract|async) )*(?:function|const|class|interface|type) (\w+)/gm,
  )
  const lists = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].map(([, list]) => list)
  const listed = lists.flatMap((list) => [...list.matchAll(/(\w+)\s*(?:,|$)/g)])
  const whole = [...text.matchAll(/^export \* from '(\.[^']+)'/gm)].flatMap(([, path]) =>
    exportsOf(join(file, '..', path)),
  )
  return [...new Set([...[...declared, ...listed].map(([, name]) => name), ...whole])]
}
