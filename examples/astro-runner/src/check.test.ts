import { Value } from 'typebox/value'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runCheck } from './check.ts'
import { Check } from './plan.ts'
import { TargetServer } from './testing/target-server.ts'

let target: TargetServer
const never = new AbortController().signal

beforeAll(async () => {
  target = await TargetServer.start()
})
afterAll(() => target[Symbol.asyncDispose]())
beforeEach(() => {
  target.answer = (_, response) => response.end('{}')
})

/** A check with its defaults, of a path of its own. */
function check(fields: object): Check {
  const given = { name: 'a check', path: `/${crypto.randomUUID()}`, ...fields }
  return Value.Default(Check, given) as Check
}

describe('a check', () => {
  it('passes at the first attempt when the answer is as expected', async () => {
    const outcome = await runCheck(target.url, check({}), never)
    expect(outcome).toMatchObject({ outcome: 'passed', status: 200, attempts: [{ status: 200, problems: [] }] })
  })

  it('sends its method, headers and body', async () => {
    const received = Promise.withResolvers<unknown[]>()
    target.answer = async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      received.resolve([request.method, request.headers['content-type'], request.headers['x-token'], body])
      response.writeHead(201).end()
    }
    const fields = { method: 'PUT', headers: { 'x-token': 't' }, body: { a: [1] }, expect: { status: 201 } }
    expect(await runCheck(`${target.url}/`, check(fields), never)).toMatchObject({ outcome: 'passed' })
    expect(await received.promise).toEqual(['PUT', 'application/json', 't', '{"a":[1]}'])
  })

  it('is tried again until it passes, and keeps every attempt', async () => {
    target.answer = (_, response, call) => response.writeHead(call < 3 ? 503 : 200).end()
    const { outcome, attempts } = await runCheck(target.url, check({ retries: 5 }), never)
    expect([outcome, attempts.map(({ status }) => status)]).toEqual(['passed', [503, 503, 200]])
    expect(attempts[0]?.problems).toEqual(['the status is 503, expected 200'])
  })

  it('fails when its retries are used up', async () => {
    target.answer = (_, response) => response.writeHead(500).end()
    const failing = check({ retries: 2 })
    const { outcome, status, attempts } = await runCheck(target.url, failing, never)
    expect([outcome, status, attempts.length, target.calls(failing.path)]).toEqual(['failed', 500, 3, 3])
  })

  it('fails when no answer comes in time', async () => {
    target.answer = () => undefined
    const { outcome, status, attempts } = await runCheck(target.url, check({ timeoutMs: 30 }), never)
    expect([outcome, status, attempts[0]?.problems]).toEqual(['failed', null, ['no answer within 30 ms']])
  })

  it('fails when the body stops in the middle and the time is up', async () => {
    target.answer = (_, response) => void response.writeHead(200).write('{')
    const { outcome, attempts } = await runCheck(target.url, check({ timeoutMs: 50 }), never)
    expect([outcome, attempts[0]?.problems]).toEqual(['failed', ['no answer within 50 ms']])
  })

  it('fails when the connection breaks, when nobody listens, and when the address is none', async () => {
    target.answer = (request) => request.socket.destroy()
    for (const url of [target.url, 'http://127.0.0.1:1', 'http://[']) {
      const { outcome, attempts } = await runCheck(url, check({}), never)
      expect([outcome, attempts[0]?.status, attempts[0]?.problems.length]).toEqual(['failed', null, 1])
    }
  })

  it('fails when the body is too large to be looked at', async () => {
    target.answer = (_, response) => response.end(Buffer.alloc(1024 * 1024 + 1))
    const { attempts } = await runCheck(target.url, check({}), never)
    expect(attempts[0]?.problems).toEqual(['the body is larger than 1048576 bytes'])
  })

  it('does not follow redirects, which are answers too', async () => {
    target.answer = (_, response) => response.writeHead(302, { location: '/elsewhere' }).end()
    expect(await runCheck(target.url, check({ expect: { status: 302 } }), never)).toMatchObject({ outcome: 'passed' })
  })

  it('has no outcome when the worker ends, whether it waits for an answer or for the next attempt', async () => {
    const ending = new AbortController()
    target.answer = () => ending.abort(new Error('the worker ends'))
    await expect(runCheck(target.url, check({ retries: 3 }), ending.signal)).rejects.toThrow('the worker ends')

    const pausing = new AbortController()
    target.answer = (_, response) => response.writeHead(500).end(() => setImmediate(() => pausing.abort()))
    await expect(runCheck(target.url, check({ retries: 10 }), pausing.signal)).rejects.toThrow(/abort/)
  })
})
