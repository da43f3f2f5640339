import type { MigrationPlan } from '../migrations/index.ts'
import type { Output } from './output.ts'

/** Notes what to know before migrations are applied. */
export function noteWarnings(plans: readonly MigrationPlan[], { note, colours }: Output): void {
  for (const { name, warnings } of plans) {
    for (const { kind, step, message, instead } of warnings)
      note(`${name}, step ${step}, ${kind}: ${message} ${colours.faint(instead)}`)
  }
}
