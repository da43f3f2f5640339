/** The application that the examples of doc comments speak of: what they use and do not declare. */
import { createWriteStream } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { MultiDirectedGraph } from 'graphology'
import {
  type BackendFactory,
  defineSchema,
  documents,
  graph,
  type Job,
  type MigrationSteps,
  queue,
  type Row,
  type Storage,
  type Transaction,
  t,
  table,
} from 'holdfast'
import { expect } from 'vitest'
import { z } from 'zod'
import type { Select } from '../../packages/holdfast/src/statement/index.ts'

export { createWriteStream, expect, MultiDirectedGraph, pipeline, z }

export const Plan = z.object({
  name: z.string(),
  status: z.enum(['draft', 'ready', 'active', 'done']).default('draft'),
  owner: z.object({ team: z.string() }).nullable().optional(),
})

export const schema = defineSchema(
  {
    users: table({
      id: t.integer().primaryKey().generated(),
      username: t.text().default(''),
      name: t.text().default(''),
      team: t.text().nullable(),
      cost: t.real().default(0),
      visits: t.integer().default(0),
      isAllowed: t.boolean().default(false),
      createdAt: t.timestamp().defaultNow(),
      firstSeen: t.timestamp().defaultNow(),
    }),
    sessions: table(
      {
        id: t.id(),
        userId: t.integer().references('users'),
        status: t.text().default('open'),
        turns: t.integer().default(0),
        price: t.decimal(10, 2).default('0'),
        lastUsed: t.timestamp().defaultNow(),
        endedAt: t.timestamp().nullable(),
      },
      { versioned: true },
    ),
    messages: table({
      id: t.id(),
      userId: t.integer(),
      day: t.date(),
      cost: t.real(),
      durationMs: t.integer(),
      sentAt: t.timestamp(),
    }),
    seats: table({ row: t.text(), number: t.integer() }, { primaryKey: ['row', 'number'] }),
    runs: table({ id: t.id(), planId: t.text(), status: t.text() }),
    sent: table({ id: t.id(), to: t.text() }),
    orders: table({ id: t.id(), userId: t.integer() }),
    plans: documents({ schema: Plan, history: true, watch: true }),
    mail: queue<{ to: string; provider?: string }>(),
    execute: queue<{ planId: string; runId?: string }>(),
    render: queue<{ url: string }>(),
    report: queue<{ kind: string }>(),
    poll: queue<{ feed: string }>(),
    index: queue<{ id: string }>(),
    resize: queue<{ url: string }, { bytes: number }>(),
    book: queue<{ id: string }>(),
    import: queue<{ id: string }>(),
    city: graph({
      nodes: { venue: z.object({ name: z.string() }), event: z.object({ title: z.string() }) },
      relations: { hosts: { from: 'venue', to: 'event' }, performsAt: { from: 'event', to: 'venue' } },
    }),
    social: graph({ nodes: { person: z.object({}) }, relations: { follows: { from: 'person', to: 'person' } } }),
  },
  ({ one, many }) => ({
    users: { sessions: many('sessions', 'userId'), orders: many('orders', 'userId') },
    sessions: { user: one('users', 'userId') },
  }),
)

export type Plan = z.output<typeof Plan>
export type User = Row<typeof schema, 'users'>
export type Session = Row<typeof schema, 'sessions'>

export declare const storage: Storage<typeof schema>
export declare const tx: Transaction<typeof schema>
export declare const m: MigrationSteps

export const users = storage.repository('users')
export const sessions = storage.repository('sessions')
export const messages = storage.repository('messages')
export const seats = storage.repository('seats')
export const plans = storage.repository('plans')
export const mail = storage.queue('mail')
export const rates = storage.cache<number>('rates')
export const models = schema.models

export declare const user: User
export declare const row: User
export declare const session: Session
export declare const plan: Plan
export declare const job: Job<{ to: string }>
export declare const venue: { readonly id: string }
export declare const event: { readonly id: string }
export declare const kim: { readonly id: string }
export declare const lee: { readonly id: string }

export declare const id: string
export declare const planId: string
export declare const messageId: string
export declare const me: string
export declare const url: string
export declare const userId: number
export declare const from: Date
export declare const yesterday: Date
export declare const lastMonday: Date
export declare const lastMonth: Date
export declare const after: string | null
export declare const statement: Select
export declare const signal: AbortSignal

export declare function send(what: unknown, options?: { signal: AbortSignal }): Promise<string>
export declare function sendMail(to: User): Promise<void>
export declare function fetchRate(currency: string): Promise<number>
export declare function fetchSession(id: string): Promise<Session>
export declare function tell(...what: unknown[]): Promise<void>
export declare function lastCursor(): Promise<string>
export declare function keep(cursor: string): Promise<void>
export declare function show(what: unknown): void
export declare function signUp(storage: unknown, to: string): Promise<void>
export declare function render(job: Job<{ url: string }>): Promise<void>
export declare function resize(job: Job<{ url: string }>): Promise<{ bytes: number }>
export declare function isReady(data: { id: string }): Promise<boolean>
export declare function load(data: { id: string }): Promise<void>
export declare function pagerank(graph: MultiDirectedGraph): Record<string, number>
export declare const search: { bulk(entries: { id: string }[]): Promise<{ id: string; error?: string }[]> }
export declare const response: ServerResponse & Response
export declare const log: Pick<Console, 'error'>
export declare function mine(options: { path: string }): BackendFactory
