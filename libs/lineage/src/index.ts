export { EventLog, type EventLogOptions } from './event-log.ts';
export { findLineage, type Lineage } from './find-lineage.ts';
export type { LineageNode, LineageTree } from './lineage-tree.ts';
export type { StoredEvent } from './logged-event.ts';
