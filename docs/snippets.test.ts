import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

const root = join(import.meta.dirname, '..')
const scratch = join(import.meta.dirname, '.snippets')
const pages = [
  join(root, 'README.md'),
  join(root, 'packages/holdfast/README.md'),
  ...readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(import.meta.dirname, name)),
]

beforeAll(() => mkdirSync(scratch, { recursive: true }))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

describe.each(pages.map((page) => relative(root, page)))('%s', (page) => {
  const text = readFileSync(join(root, page), 'utf8')
  const snippets = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)]

  it('points to pages that exist', () => {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) =>
      join(root, page, '..', link as string),
    )
    expect(links.filter((link) => !existsSync(link))).toEqual([])
  })

  it.each(snippets.map((match, index) => [index + 1, match[1] as string] as const))(
    'snippet %i runs',
    async (index, code) => {
      const file = join(scratch, `${page.replaceAll(/\W/g, '-')}-${index}.ts`)
      writeFileSync(file, code)
      const log = vi.spyOn(console, 'log').mockReturnValue()
      try {
        await import(file)
      } finally {
        log.mockRestore()
      }
    },
  )
})
