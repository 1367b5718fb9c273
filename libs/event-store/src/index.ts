export { type CommitOptions, type ConditionalWrite, commit, type TransactWrite } from './commit.ts';
export { documentClient } from './document-client.ts';
export { ConcurrencyConflictError, errorCodes, StoreBusyError } from './errors.ts';
export { type DomainEvent, EventStore, type EventStream, type NewEvent, type StoredEvent } from './event-store.ts';
export { inboxMark } from './inbox.ts';
export { outboxRow } from './outbox.ts';
export { relay } from './relay.ts';
export { retryOnConflict } from './retry-on-conflict.ts';
