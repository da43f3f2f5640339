export { LiveRepository } from './live-repository.ts'
