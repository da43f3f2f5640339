import type { Issue } from '../base/errors.ts'
import type { HistoryOption } from './declare.ts'
import { describe } from './describe.ts'
import type { Model } from './model.ts'
import { checkKnown } from './options.ts'

/** How long the changes of a model that is only watched are kept. */
const WATCHED_MS = 86_400_000

/** What `history` and `watch` ask for; nothing where neither is there. */
export function historyOf(
  name: string,
  { history, watch }: { readonly history?: HistoryOption; readonly watch?: boolean },
  issues: Issue[],
): Pick<Model, 'history'> {
  if (watch !== undefined && typeof watch !== 'boolean')
    issues.push({ path: `${name}.watch`, reason: `must be true or false, got ${describe(watch)}` })
  if (history === undefined || history === false) return watch === true ? { history: { keepMs: WATCHED_MS } } : {}
  const { keepMs = null } = (history === true ? {} : (history ?? {})) as { readonly keepMs?: number }
  if (history !== true && (typeof history !== 'object' || history === null))
    issues.push({ path: `${name}.history`, reason: `must be true, false or { keepMs }, got ${describe(history)}` })
  else if (history !== true && !checkKnown(history, ['keepMs'], `${name}.history.`, issues)) return {}
  else if (keepMs !== null && !(Number.isSafeInteger(keepMs) && keepMs >= 0))
    issues.push({ path: `${name}.history.keepMs`, reason: `must be a whole number from 0 on, got ${describe(keepMs)}` })
  return { history: { keepMs } }
}
