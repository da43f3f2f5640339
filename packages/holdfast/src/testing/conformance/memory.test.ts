import { describeConformance } from '../../../../../test/conformance.ts'
import { memory } from '../../backends/memory/index.ts'

describeConformance('memory', async () => ({ backend: memory(), remove: async () => undefined }))
