export type { Aggregate, SnapshotPolicy } from './aggregate.ts';
export {
  type CommandContext,
  CommandRunner,
  type CommandRunnerOptions,
} from './command-runner.ts';
export { type CommitOptions, type ConditionalWrite, commit, type TransactWrite } from './commit.ts';
export type { DomainEvent, NewEvent, StoredEvent } from './domain-event.ts';
export { DynamoDbEventStore } from './dynamodb-event-store.ts';
export { EmittedEvents, type ScanPage, type ScanPosition } from './emitted-events.ts';
export {
  ConcurrencyConflictError,
  EventTooLargeError,
  StoreBusyError,
  StreamConflictError,
  UnreadableEventError,
} from './errors.ts';
export type { EventStore, Snapshot } from './event-store.ts';
export { InMemoryEventStore } from './in-memory-event-store.ts';
export { hasEffectIn, inboxKey, inboxMark } from './inbox.ts';
export { outboxRow } from './outbox.ts';
export { inlineDetail, inlineText } from './outbox-row.ts';
export { compress, decompress } from './payload.ts';
export { InMemoryPayloadStore } from './payload-store.ts';
export { type Item, type ItemKey, idOf, type KnownItems, readItems } from './read-items.ts';
export { type RelayOutcome, type RelayResponse, relay } from './relay.ts';
export { type RefusedRow, type RelayDeadLetters, SqsRelayDeadLetters } from './relay-dead-letters.ts';
export { replaceRow } from './replace-row.ts';
export { retryOnConflict } from './retry-on-conflict.ts';
export {
  type PlannedChange,
  type Row,
  type RowContext,
  type RowRunner,
  rowRunner,
} from './row-runner.ts';
export { settleTogether } from './settle-together.ts';
export { StoredOutbox, type StoredRow, type TimeWindow } from './stored-outbox.ts';
export { type Table, tableFromEnvironment } from './table.ts';
