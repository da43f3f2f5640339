import { hash } from 'node:crypto'
import { type Binding, bindAll } from '../sql/index.ts'
import type { Request } from './exchange.ts'
import { wireValue } from './wire-values.ts'

/**
 * What sessions keep a text under: made of the text, so that a name never means two things, even where a pooler hands the sessions
 * of one process on to another.
 */
export function nameOf(text: string): string {
  return `holdfast_${hash('sha256', text).slice(0, 32)}`
}

/** A text with what is bound to it, and the name that sessions keep it under. */
export class PreparedText {
  readonly name: string
  readonly text: string
  readonly bindings: readonly Binding[]

  /** @param prepare whether sessions keep it. */
  constructor(text: string, bindings: readonly Binding[], prepare: boolean) {
    this.name = prepare ? nameOf(text) : ''
    this.text = text
    this.bindings = bindings
  }

  /** The request with the values of a call. */
  request(parameters: readonly unknown[]): Request {
    return { name: this.name, text: this.text, values: bindAll(this.bindings, parameters).map(wireValue) }
  }
}
