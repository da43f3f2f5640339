import { describe, expect, it } from 'vitest'
import { Semaphore } from './semaphore.ts'

describe('a semaphore', () => {
  it('lets in as many as it has permits, and others in the order in which they came', async () => {
    const semaphore = new Semaphore(2)
    expect([semaphore.tryAcquire(), semaphore.tryAcquire(), semaphore.tryAcquire()]).toEqual([true, true, false])
    const entered: string[] = []
    const waiting = ['first', 'second', 'third'].map((name) => semaphore.acquire().then(() => entered.push(name)))
    for (const already of waiting) {
      semaphore.release()
      await already
    }
    expect(entered).toEqual(['first', 'second', 'third'])
    expect(semaphore.tryAcquire()).toBe(false)
    semaphore.release()
    expect(semaphore.tryAcquire()).toBe(true)
  })

  it('forgets those that stopped waiting', async () => {
    const semaphore = new Semaphore(1)
    await semaphore.acquire()
    const impatient = new AbortController()
    const [left, stayed] = [semaphore.acquire(impatient.signal), semaphore.acquire()]
    impatient.abort(new Error('too late'))
    await expect(left).rejects.toThrow('too late')
    semaphore.release()
    await stayed
    semaphore.release()
    await expect(semaphore.acquire(impatient.signal)).rejects.toThrow('too late')
    expect(semaphore.tryAcquire()).toBe(true)
  })
})
