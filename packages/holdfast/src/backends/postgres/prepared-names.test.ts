import { describe, expect, it } from 'vitest'
import type { Wire } from './driver.ts'
import { PreparedNames } from './prepared-names.ts'

/** Notes what is sent. */
function recording(): { readonly wire: Wire; sent(): string[] } {
  const log: string[] = []
  const wire = {
    parse: ({ name }: { name: string }) => log.push(`parse ${name}`),
    close: ({ name }: { name: string }) => log.push(`close ${name}`),
  }
  return { wire: wire as unknown as Wire, sent: () => log.splice(0) }
}

describe('the names of prepared statements', () => {
  it('are closed before they are prepared again where an exchange failed that was to prepare them', () => {
    const { wire, sent } = recording()
    const names = new PreparedNames()
    names.ready('a', '', wire)
    names.doubt()
    names.ready('a', '', wire)
    names.confirm()
    names.ready('a', '', wire)
    expect(sent()).toEqual(['parse a', 'close a', 'parse a'])
  })

  it('are closed before they are prepared again where an exchange failed that was to close them', () => {
    const { wire, sent } = recording()
    const names = new PreparedNames()
    for (let n = 0; n < 500; n++) names.ready(`${n}`, '', wire)
    names.confirm()
    sent()
    names.ready('one more', '', wire)
    expect(sent()).toEqual(['parse one more', 'close 0'])
    names.doubt()
    names.ready('0', '', wire)
    expect(sent().slice(0, 2)).toEqual(['close 0', 'parse 0'])
  })

  it('are not dropped by the exchange that prepares them again', () => {
    const { wire, sent } = recording()
    const names = new PreparedNames()
    names.ready('oldest', '', wire)
    names.doubt()
    for (let n = 0; n < 499; n++) names.ready(`${n}`, '', wire)
    names.confirm()
    sent()
    names.ready('oldest', '', wire)
    expect(sent()).toEqual(['close oldest', 'parse oldest'])
  })
})
