import type { EmittableEvent } from '@millrace/events';

/** A fact of one aggregate: JSON, told apart by its type. */
export interface DomainEvent {
  readonly type: string;
}

/** An event to append. */
export interface NewEvent<Event extends DomainEvent> {
  /** New for every attempt, e.g. a UUID: an append that is sent again is recognised by it. */
  id: string;
  event: Event;
  /** When it happened. */
  time: Date;
  correlationId: string;
  causationId?: string | undefined;
  /** What the relay emits for it; nothing for an event that stays inside the service. */
  emit?: EmittableEvent | undefined;
}

/** An event as it was appended, in the newest version of its schema. */
export interface StoredEvent<Event extends DomainEvent> {
  id: string;
  event: Event;
  /** When it happened, ISO 8601 in UTC. */
  time: string;
  /** When it was appended, by the writer's clock, ISO 8601 in UTC. Absent from events that are older than this field. */
  recordedAt?: string;
  /** Position in the stream, from 1. */
  version: number;
  correlationId: string;
  causationId?: string;
  /** True for an event that the relay emits. */
  emitted?: true;
}
