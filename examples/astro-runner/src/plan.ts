/** What a test plan is. One TypeBox schema checks requests at the door and documents in the database, and gives the types. */
import Type from 'typebox'

const closed = { additionalProperties: false }

/** What an answer must be. */
export const Expectation = Type.Object(
  {
    status: Type.Integer({ minimum: 100, maximum: 599, default: 200 }),
    /** The body holds this text. */
    contains: Type.Optional(Type.String({ minLength: 1 })),
    /** The body is JSON and holds these members; it may hold more. */
    json: Type.Optional(Type.Unknown()),
    /** The answer comes within this time. */
    withinMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 60_000 })),
  },
  { ...closed, default: {} },
)
export type Expectation = Type.Static<typeof Expectation>

/** One request and what its answer must be. */
export const Check = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 200 }),
    method: Type.Enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'], { default: 'GET' }),
    /** Below the target of the plan. */
    path: Type.String({ pattern: '^/' }),
    headers: Type.Optional(Type.Record(Type.String(), Type.String())),
    /** Sent as JSON. */
    body: Type.Optional(Type.Unknown()),
    timeoutMs: Type.Integer({ minimum: 1, maximum: 60_000, default: 5_000 }),
    /** How often a failing check is tried again. */
    retries: Type.Integer({ minimum: 0, maximum: 10, default: 0 }),
    expect: Expectation,
  },
  closed,
)
export type Check = Type.Static<typeof Check>

/** A named list of checks against one server. */
export const Plan = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 200 }),
    /** Where the server is: `http://localhost:8080`. */
    target: Type.String({ pattern: '^https?://[^/\\s]+' }),
    checks: Type.Array(Check, { minItems: 1, maxItems: 1_000 }),
  },
  closed,
)
export type Plan = Type.Static<typeof Plan>
