import type { Model, Schema } from '../schema/index.ts'
import { type History, historyOf } from './models.ts'

/** The histories of the models of a schema that keep one, by the model's name. */
export function declaredHistories({ models }: Schema): Map<string, History> {
  const taken = new Map<string, Model>(models)
  const histories = new Map<string, History>()
  for (const model of models.values()) {
    if (model.history === undefined) continue
    const history = historyOf(model, taken)
    taken.set(history.versions.name, history.versions)
    histories.set(model.name, history)
  }
  return histories
}
