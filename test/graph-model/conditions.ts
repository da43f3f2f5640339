import { holds } from '../repository-model/conditions.ts'
import type { Content } from './content.ts'
import type { Fields, GraphName } from './schema.ts'
import { idsInReach } from './walking.ts'

/** Whether a condition holds for a node, an edge or a record: a reach stands for the ids it comes to. */
export function fits(where: Fields, record: Fields, content: Content, of?: GraphName): boolean {
  return holds(withIds(where, content, of), record)
}

function withIds(where: Fields, content: Content, of: GraphName | undefined): Fields {
  const conditions = Object.entries(where).map(([name, asked]): Fields => {
    if (name === 'and' || name === 'or')
      return { [name]: (asked as Fields[]).map((inner) => withIds(inner, content, of)) }
    if (name === 'not') return { not: withIds(asked as Fields, content, of) }
    if (name !== 'reach') return { [name]: asked }
    const { graph = of, field = 'id', ...walk } = asked as { graph?: GraphName; field?: string }
    return { [field]: { in: idsInReach(content[graph as GraphName], walk) } }
  })
  return { and: conditions }
}
