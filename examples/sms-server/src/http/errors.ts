/** How errors look to HTTP clients. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { isHoldfastError, ValidationError } from 'holdfast'

const statusByCode: Readonly<Record<string, number>> = {
  VALIDATION: 400,
  NOT_FOUND: 404,
  CLOSED: 503,
  CONNECTION: 503,
  SERIALIZATION: 503,
  TIMEOUT: 503,
}

/** Answers with `{ code, message }` and, for bad input, the `issues`: each a path and a reason. */
export function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = isHoldfastError(error) ? (statusByCode[error.code] ?? 500) : (error.statusCode ?? 500)
  if (status >= 500) {
    request.log.error(error)
    const message = status === 503 ? 'The storage cannot answer now.' : 'Something went wrong here.'
    return reply.code(status).send({ code: error.code ?? 'INTERNAL', message })
  }
  const { code, message } = error
  return reply.code(status).send({ code, message, ...(error instanceof ValidationError && { issues: error.issues }) })
}
