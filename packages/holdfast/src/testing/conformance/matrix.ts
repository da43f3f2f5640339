import type { ConformanceResult } from './run.ts'

/** The results of one backend. */
export interface BackendResults {
  /** The heading of its column. */
  readonly backend: string
  readonly results: readonly ConformanceResult[]
}

/** Writes results as a Markdown table: one row a case, one column a backend, and below the reasons of what was skipped. */
export function conformanceMatrix(backends: readonly BackendResults[]): string {
  const lines = [
    `| promise | ${backends.map(({ backend }) => backend).join(' | ')} |`,
    `|---|${backends.map(() => '---|').join('')}`,
  ]
  const reasons: string[] = []
  let subject = ''
  for (const [at, { id, title }] of (backends[0]?.results ?? []).entries()) {
    const [current = ''] = id.split('/')
    if (current !== subject) lines.push(`| **${current}** |${backends.map(() => ' |').join('')}`)
    subject = current
    const cells = backends.map(({ backend, results }) => {
      const result = results[at]
      if (result?.outcome === 'skip') reasons.push(`- ${id} on ${backend}: ${result.reason}`)
      return result === undefined ? '' : { pass: '✓', fail: '✗', skip: '–' }[result.outcome]
    })
    lines.push(`| ${title.replaceAll('|', '\\|')} | ${cells.join(' | ')} |`)
  }
  return reasons.length === 0 ? lines.join('\n') : [...lines, '', 'Not run:', '', ...reasons].join('\n')
}
