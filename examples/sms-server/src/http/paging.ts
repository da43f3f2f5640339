/** The query of every list: `?first=20&after=<next of the page before>`. */
export const paging = {
  querystring: {
    type: 'object',
    properties: { first: { type: 'integer', minimum: 1, maximum: 200, default: 20 }, after: { type: 'string' } },
  },
} as const

/** What that query is when it has been checked. */
export interface Paging {
  readonly first: number
  readonly after?: string
}
