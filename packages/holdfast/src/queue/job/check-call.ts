import { type Issue, ValidationError } from '../../base/errors.ts'

/** @throws ValidationError naming what is wrong with the arguments of a call, as `look` finds it. */
export function checkCall(queue: string, look: (issues: Issue[]) => void): void {
  const issues: Issue[] = []
  look(issues)
  if (issues.length > 0) throw new ValidationError(`A call on the queue ${queue} was refused`, issues)
}
