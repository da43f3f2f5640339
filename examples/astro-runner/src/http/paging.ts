/** The query of every list: `?first=20&after=<next of the page before>`. */
import Type from 'typebox'

export const paging = {
  first: Type.Integer({ minimum: 1, maximum: 200, default: 20 }),
  after: Type.Optional(Type.String()),
}
