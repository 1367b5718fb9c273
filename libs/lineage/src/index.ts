export { EventLog, type EventLogOptions, type TimeRange } from './event-log.ts';
export { findLineage, type Lineage, type LineageLimits } from './find-lineage.ts';
export { type LineageNode, type LineageTree, lineageTree } from './lineage-tree.ts';
export type { LoggedEvent, StoredEvent } from './logged-event.ts';
