import { isHoldfastError, openStorage } from '../../packages/holdfast/src/index.ts'

/**
 * A process that opens a storage on each of these files, one after another, and writes one record to each, to be started with few rights or
 * few files. It prints what came of it, as JSON: how many took the record, the error of the first that did not, and how many still work.
 */
const opened: { count(): Promise<number> }[] = []
let error: unknown
try {
  for (const path of process.argv.slice(2)) {
    const notes = (await openStorage(`sqlite:${path}`, { autoCreate: true })).repository('notes')
    await notes.create({ text: 'one' })
    opened.push(notes)
  }
} catch (caught) {
  const { name, code, hint } = caught as { name?: string; code?: string; hint?: string }
  error = { name, code, hint, own: isHoldfastError(caught), message: String(caught) }
}
const counts = await Promise.all(opened.map((notes) => notes.count()))
console.log(JSON.stringify({ opened: opened.length, error, working: counts.filter((count) => count > 0).length }))
process.exit(0)
