import { blueHall } from './blue-hall.ts'
import { harbour } from './harbour.ts'
import type { Source } from './source.ts'
import { whatsOn } from './whats-on.ts'

/** Every source, by its name. Where two list the same event, the first of them gives its title. */
export const sources: ReadonlyMap<string, Source> = new Map(
  [blueHall, harbour, whatsOn].map((source) => [source.name, source]),
)
