import type { Row } from '../backend/index.ts'
import { ValidationError } from '../base/errors.ts'
import { describe } from '../schema/index.ts'
import { isPlainObject } from '../statement/index.ts'
import { type GraphContext, recordsOf } from './context.ts'
import { type Imported, importTogether } from './importing.ts'
import { ofOneMoment } from './one-moment.ts'

/** JSON text, whole or in pieces: a file's read stream, the body of a response, a string. */
export type JsonSource = string | Uint8Array | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>

/** How much text is gathered before it is given out. */
const PIECE_LENGTH = 64 * 1024

/** Writes a graph as JSON Graph Format (https://jsongraphformat.info), piece by piece: every edge with both of its ends. */
export function writeJsonGraph(context: GraphContext): AsyncGenerator<string, void, undefined> {
  return ofOneMoment(context.session, (session) => pieces({ ...context, session }))
}

async function* pieces({ session, name, models }: GraphContext): AsyncGenerator<string, void, undefined> {
  let text = `{"graph":{"id":${JSON.stringify(name)},"directed":true,"nodes":{`
  let comma = ''
  for await (const { id, label, data } of recordsOf(session, models.nodes).stream()) {
    text += `${comma}\n${JSON.stringify(id)}:${JSON.stringify({ label, metadata: data })}`
    comma = ','
    if (text.length < PIECE_LENGTH) continue
    yield text
    text = ''
  }
  text += '\n},"edges":['
  comma = ''
  for await (const { id, source, relation, target, data } of recordsOf(session, models.edges).stream()) {
    const metadata = data === null ? {} : { metadata: data }
    text += `${comma}\n${JSON.stringify({ id, source, relation, target, ...metadata })}`
    comma = ','
    if (text.length < PIECE_LENGTH) continue
    yield text
    text = ''
  }
  yield `${text}\n]}}\n`
}

/**
 * Reads a graph from JSON Graph Format, piece by piece, into a graph.
 *
 * @throws ValidationError unless it is such a text, and for nodes and edges that the graph does not take.
 */
export async function readJsonGraph(context: GraphContext, source: JsonSource): Promise<Imported> {
  const { JSONParser } = await import('@streamparser/json')
  return importTogether(context, async (importer) => {
    const parser = new JSONParser({ paths: ['$.graph.nodes.*', '$.graph.edges.*', '$.graphs.*'], keepStack: false })
    let first: 'nodes' | 'edges' | undefined
    let nodesAreThere = false
    parser.onValue = ({ key, value, stack }) => {
      const kind = stack.at(-1)?.key === 'nodes' ? 'nodes' : 'edges'
      if (stack.length === 2) throw refused(context, 'graphs', 'holds several graphs; import them one by one')
      first ??= kind
      if (kind === 'nodes') importer.addNode(nodeOf(context, key, value))
      else importer.addEdge(edgeOf(context, key, value))
      nodesAreThere = kind === 'edges' && first === 'nodes'
    }
    for await (const piece of piecesOf(context, source)) {
      parsed(context, () => parser.write(piece))
      await importer.writeSome(nodesAreThere)
    }
    parsed(context, () => {
      if (parser.isEnded) return
      parser.end()
      throw refused(context, '', 'must be a JSON Graph, which is an object')
    })
  })
}

function piecesOf(
  context: GraphContext,
  source: JsonSource,
): Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array> {
  if (typeof source === 'string' || source instanceof Uint8Array) return [source]
  const isIterable =
    typeof source === 'object' && source !== null && (Symbol.iterator in source || Symbol.asyncIterator in source)
  if (!isIterable) throw refused(context, 'source', `must be text, bytes or pieces of them, got ${describe(source)}`)
  return source
}

/** Nodes stand under their ids or, in the first version of the format, in a list with them. */
function nodeOf(context: GraphContext, key: unknown, value: unknown) {
  const { id, label, metadata } = membersOf(context, `nodes.${String(key)}`, value)
  return { id: (typeof key === 'string' ? key : id) as string, label, data: metadata ?? {} }
}

function edgeOf(context: GraphContext, key: unknown, value: unknown): Row {
  const { id, source, relation, target, metadata } = membersOf(context, `edges.${String(key)}`, value)
  return { id, source, relation, target, data: metadata }
}

function membersOf(context: GraphContext, path: string, value: unknown): Row {
  if (isPlainObject(value)) return value
  throw refused(context, path, 'must be an object')
}

function parsed(context: GraphContext, parse: () => void): void {
  try {
    parse()
  } catch (error) {
    if (error instanceof ValidationError || !(error instanceof Error)) throw error
    throw refused(context, '', `is not JSON that can be read: ${error.message}`)
  }
}

function refused({ name }: GraphContext, path: string, reason: string): ValidationError {
  return new ValidationError(`An import into ${name} was refused`, [{ path, reason }])
}
