export { hasApplied } from './applied-events.ts';
export { partitionKey } from './change.ts';
export {
  defineProjection,
  isMadeOf,
  type Projection,
  type RowKey,
} from './define-projection.ts';
export { hash } from './hash.ts';
export { type Pointer, Pointers } from './pointers.ts';
export { ProjectionReader } from './projection-reader.ts';
export { ProjectionTable } from './projection-table.ts';
export { Projector } from './projector.ts';
export { type RebuildSummary, rebuild } from './rebuild.ts';
