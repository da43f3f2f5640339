import type { Plan, Session } from '../backend/index.ts'
import { Reach, reachParameters } from '../statement/index.ts'

/** Finds the ids that a reach in a query of a model stands for. */
export type IdsInReach = (session: Session, reach: Reach, model: string) => Promise<readonly string[]>

/** The plans that ask what is within reach in a graph: before they are executed, a walk finds it. */
export class Reaches {
  readonly #plans = new WeakMap<Plan, readonly number[]>()
  #some = false
  readonly #idsOf: IdsInReach

  constructor(idsOf: IdsInReach) {
    this.#idsOf = idsOf
  }

  /** Takes note of a new plan. */
  note(plan: Plan): Plan {
    const parameters = reachParameters(plan.statement)
    if (parameters.length > 0) {
      this.#plans.set(plan, parameters)
      this.#some = true
    }
    return plan
  }

  /** Whether a plan must be resolved first. Most storages have none, and pay nothing. */
  concern(plan: Plan): boolean {
    return this.#some && this.#plans.has(plan)
  }

  /** The parameters with the ids in the place of each reach, found in the session that will execute the plan. */
  async resolve(session: Session, plan: Plan, parameters: readonly unknown[]): Promise<readonly unknown[]> {
    const resolved = [...parameters]
    for (const at of this.#plans.get(plan) ?? []) {
      const reach = parameters[at]
      if (reach instanceof Reach) resolved[at] = await this.#idsOf(session, reach, plan.statement.model)
    }
    return resolved
  }
}
