export { Graph } from './graph.ts'
export { declaredGraphs, type GraphModels, graphModels } from './models.ts'
export type * from './types.ts'
