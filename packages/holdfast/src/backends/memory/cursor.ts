import type { Node, Tree } from './tree.ts'
import type { StoredRow } from './values.ts'

/**
 * A place between two rows of a tree, from which it can be read in both directions.
 * Only good while the tree is not written to; whoever reads across writes reads from a clone.
 */
export class Cursor {
  readonly #branches: Node[] = []
  readonly #children: number[] = []
  #leaf: Node
  #at: number

  /** Stands before the first row that is not below the first `length` values of the key; with `above`, that is above them. */
  constructor(tree: Tree, key: readonly unknown[], length: number, above: boolean) {
    let node = tree.root
    while (node.children !== null) {
      const child = tree.order.countBelow(node.rows, 1, key, length, above) - 1
      this.#branches.push(node)
      this.#children.push(child)
      node = node.children[child] as Node
    }
    this.#leaf = node
    this.#at = tree.order.countBelow(node.rows, 0, key, length, above)
  }

  /** Passes over the next row and gives it; undefined at the end. */
  next(): StoredRow | undefined {
    if (this.#at >= this.#leaf.rows.length) {
      if (!this.#turn(1)) return undefined
      this.#at = 0
    }
    return this.#leaf.rows[this.#at++]
  }

  /** Passes back over the row before and gives it; undefined at the start. */
  previous(): StoredRow | undefined {
    if (this.#at === 0) {
      if (!this.#turn(-1)) return undefined
      this.#at = this.#leaf.rows.length
    }
    return this.#leaf.rows[--this.#at]
  }

  /** Goes to the leaf on that side; false when there is none. */
  #turn(step: 1 | -1): boolean {
    let level = this.#branches.length - 1
    while (level >= 0 && this.#neighbour(level, step) === undefined) level--
    if (level < 0) return false
    let node = this.#neighbour(level, step) as Node
    this.#children[level] = (this.#children[level] as number) + step
    for (level++; node.children !== null; level++) {
      const child = step === 1 ? 0 : node.children.length - 1
      this.#branches[level] = node
      this.#children[level] = child
      node = node.children[child] as Node
    }
    this.#leaf = node
    return true
  }

  #neighbour(level: number, step: 1 | -1): Node | undefined {
    return this.#branches[level]?.children?.[(this.#children[level] as number) + step]
  }
}
