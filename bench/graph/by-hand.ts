/** An edge to be written. */
export interface Edge {
  readonly source: string
  readonly relation: 'follows'
  readonly target: string
}

/** A node that was found. */
export interface Found {
  readonly id: string
}

/** What an application would write on the driver itself, over the tables that Holdfast made. */
export interface ByHand {
  neighbors(id: string): Promise<readonly Found[]>
  /** One recursive query. */
  reachRecursive(id: string, depth: number): Promise<readonly Found[]>
  /** One statement a level. */
  reachByLevel(id: string, depth: number): Promise<readonly Found[]>
  /** One recursive query that carries its paths; the number of edges. */
  pathRecursive(from: string, to: string): Promise<number>
  /** One statement a level, from both ends. */
  pathByLevel(from: string, to: string): Promise<number>
  /** Writes edges in one transaction. */
  insertEdges(edges: readonly Edge[]): Promise<void>
  close(): Promise<void>
}

/** The statements that a search by level asks. */
export interface LevelStatements {
  targetsOf(ids: readonly string[]): Promise<readonly string[]>
  edgesFrom(ids: readonly string[]): Promise<readonly (readonly [from: string, to: string])[]>
  edgesTo(ids: readonly string[]): Promise<readonly (readonly [from: string, to: string])[]>
  edgesBetween(sources: readonly string[], targets: readonly string[]): Promise<readonly unknown[]>
  nodes(ids: readonly string[]): Promise<readonly Found[]>
}

/** The nodes within reach, with one statement a level. */
export async function reachByLevel(statements: LevelStatements, id: string, depth: number): Promise<Found[]> {
  const depths = new Map([[id, 0]])
  let level = [id]
  for (let at = 1; at <= depth && level.length > 0; at++) {
    const next: string[] = []
    for (const target of await statements.targetsOf(level)) {
      if (depths.has(target)) continue
      depths.set(target, at)
      next.push(target)
    }
    level = next
  }
  return (await statements.nodes([...depths.keys()])).map((node) => ({ ...node, depth: depths.get(node.id) }))
}

/** A path of the fewest edges, searched from both ends with one statement a level, and its nodes and edges read. */
export async function pathByLevel(statements: LevelStatements, from: string, to: string): Promise<number> {
  const [before, after] = [new Map([[from, '']]), new Map([[to, '']])]
  let [forth, back] = [[from], [to]]
  while (forth.length > 0 && back.length > 0) {
    const [seen, other] = forth.length <= back.length ? [before, after] : [after, before]
    const rows = seen === before ? await statements.edgesFrom(forth) : await statements.edgesTo(back)
    const next: string[] = []
    for (const [near, far] of rows) {
      if (seen.has(far)) continue
      seen.set(far, near)
      next.push(far)
    }
    if (seen === before) forth = next
    else back = next
    const meeting = next.find((id) => other.has(id))
    if (meeting === undefined) continue
    const ids = [meeting]
    for (let at = before.get(meeting); at; at = before.get(at)) ids.unshift(at)
    for (let at = after.get(meeting); at; at = after.get(at)) ids.push(at)
    await Promise.all([statements.nodes(ids), statements.edgesBetween(ids.slice(0, -1), ids.slice(1))])
    return ids.length - 1
  }
  return Number.NaN
}
