export type { Pseudonymize } from './analytics.ts';
export { WITHHELD_SUBJECT } from './analytics-contract.ts';
export { DEDUPLICATION_SECONDS, handledMarkId, type InboxKey, isPastDeduplicationWindow } from './deduplication.ts';
export { defineEvent } from './define-event.ts';
export { derivedId } from './derived-id.ts';
export { EmittableEvent, type EventEntry } from './emittable-event.ts';
export { parseEnvelope } from './envelope.ts';
export { entryOfEnvelope } from './envelope-entry.ts';
export { envelopeMismatches } from './envelope-mismatch.ts';
export {
  EmitFailedError,
  MalformedEventError,
  SchemaViolationError,
  UnexpectedEventError,
  type UnsentEvent,
} from './errors.ts';
export { EventBridgeEmitter, type EventBridgeEmitterOptions, entrySize } from './event-bridge-emitter.ts';
export type {
  AnalyticsContract,
  Cause,
  Event,
  EventContext,
  EventContract,
  EventEnvelope,
  EventOf,
  ReadableContract,
  Upcasts,
} from './event-contract.ts';
export type { EventEmitter } from './event-emitter.ts';
export { InMemoryEmitter } from './in-memory-emitter.ts';
export type { Metadata } from './metadata.ts';
export { NotUnicodeError, parseJson } from './parse-json.ts';
export { contractFor } from './upcasts.ts';
