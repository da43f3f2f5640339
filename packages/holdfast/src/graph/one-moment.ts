import type { Session } from '../backend/index.ts'

/** A transaction that sees one moment, refuses no commit of others and is refused none. */
export const ONE_MOMENT = { readOnly: true, isolation: 'repeatable read', retries: 0 } as const

/**
 * What `read` gives, of one moment: in a transaction that is open for as long as somebody goes through it. In a transaction of the caller's,
 * it is that one.
 */
export async function* ofOneMoment<T>(
  session: Session,
  read: (session: Session) => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  if (session.inTransaction) return yield* read(session)
  const { readable, writable } = new TransformStream<T, T>()
  const reading = session.transaction((inner) => ReadableStream.from(read(inner)).pipeTo(writable), ONE_MOMENT)
  // A transaction that could not begin has given nothing to the stream.
  reading.catch((error: unknown) => (writable.locked ? undefined : writable.abort(error)))
  let whole = false
  try {
    yield* readable
    whole = true
  } finally {
    // Who leaves early ends it, which it calls a failure.
    await (whole ? reading : reading.catch(() => undefined))
  }
}
