export { hasApplied } from './applied-events.ts';
export { partitionKey } from './change.ts';
export {
  defineProjection,
  isMadeOf,
  type Projection,
  type ProjectionDefinition,
  type RowKey,
} from './define-projection.ts';
export { errorCodes, RebuildTakenOverError, RebuildUnderWayError, SequenceGapError } from './errors.ts';
export { hash } from './hash.ts';
export type { LeaseTimes } from './lease.ts';
export type { SubjectEvents } from './pending-events.ts';
export { type Pointer, Pointers } from './pointers.ts';
export { type PlacedRow, ProjectionReader, type RowPage, type RowQuery } from './projection-reader.ts';
export { ProjectionTable } from './projection-table.ts';
export { type History, Projector } from './projector.ts';
export { type RebuildOptions, type RebuildProgress, type RebuildSummary, rebuild } from './rebuild.ts';
