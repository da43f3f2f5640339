/** The topic that wakes the workers of a queue: there may be jobs to take. */
export function topicOf(queue: string): string {
  return `holdfast jobs ${queue}`
}

/** The topic that tells workers that jobs were scheduled for later. */
export function laterTopicOf(queue: string): string {
  return `holdfast jobs later ${queue}`
}

/** The topic that makes workers look at once at what they hold: jobs were cancelled, or the queue was paused or resumed. */
export function controlTopicOf(queue: string): string {
  return `holdfast jobs control ${queue}`
}

/** The topic that makes workers do at once what follows from transactions that were committed. */
export function followUpTopicOf(queue: string): string {
  return `holdfast jobs follow-ups ${queue}`
}

/** The topic that tells that awaited jobs of a queue have ended. */
export function endTopicOf(queue: string): string {
  return `holdfast jobs ended ${queue}`
}

/** The topic that tells workers that somebody watches jobs of a queue. */
export function watcherTopicOf(queue: string): string {
  return `holdfast jobs watched ${queue}`
}

/** The topic that tells those who watch jobs of a queue that some have changed. */
export function changeTopicOf(queue: string): string {
  return `holdfast jobs changed ${queue}`
}
