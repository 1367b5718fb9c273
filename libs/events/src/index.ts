export { DEDUPLICATION_SECONDS, handledMarkId, type InboxKey, isPastDeduplicationWindow } from './deduplication.ts';
export {
  type Cause,
  defineEvent,
  type Event,
  type EventContext,
  type EventContract,
  type EventDefinition,
  type EventEnvelope,
  type EventEnvironment,
  type EventOf,
  environmentOf,
  parseEnvelope,
  type Upcasts,
} from './define-event.ts';
export { EmittableEvent, type EntryOptions, type EventEntry } from './emittable-event.ts';
export { entryOfEnvelope } from './envelope-entry.ts';
export { envelopeMismatches } from './envelope-mismatch.ts';
export {
  EmitFailedError,
  EnvelopeMismatchError,
  errorCodes,
  MalformedEventError,
  SchemaViolationError,
  UnexpectedEventError,
  type UnsentEvent,
  UpcastFailedError,
} from './errors.ts';
export { EventBridgeEmitter, type EventBridgeEmitterOptions, entrySize } from './event-bridge-emitter.ts';
export type { EventEmitter } from './event-emitter.ts';
export { InMemoryEmitter } from './in-memory-emitter.ts';
export type { Metadata } from './metadata.ts';
export { NotUnicodeError, parseJson } from './parse-json.ts';
export { contractFor } from './upcasts.ts';
