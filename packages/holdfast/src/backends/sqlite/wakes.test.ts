import { once } from 'node:events'
import { expect, it } from 'vitest'
import { Wakes } from './wakes.ts'

it('a file that cannot be asked for a while is asked again, and what was written meanwhile wakes', async () => {
  const answers = [1, new Error('disk I/O error'), new Error('database is locked'), 2]
  const wakes = new Wakes(() => {
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    if (answer instanceof Error) throw answer
    return answer
  })
  const woken = new EventTarget()
  const heard = once(woken, 'wake')
  const unsubscribe = wakes.wake('topic', () => woken.dispatchEvent(new Event('wake')))
  // Its timer keeps no process alive.
  const alive = setInterval(() => undefined, 1_000)
  await heard
  clearInterval(alive)
  await unsubscribe()
  expect(answers).toEqual([2])
})

it('a file that cannot be asked at first can be waited for', async () => {
  const wakes = new Wakes(() => {
    throw new Error('database is locked')
  })
  await wakes.wake('topic', () => undefined)()
  wakes.close()
})
