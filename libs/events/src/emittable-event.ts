import { guard, guardOf } from '@millrace/privacy';
import type { Pseudonymize } from './analytics.ts';

/** What is stored in an outbox and put on the bus: four strings, so that a stored event is emitted byte for byte. */
export interface EventEntry {
  /** e.g. `millrace.orders` */
  readonly source: string;
  /** e.g. `OrderPlaced.v1` */
  readonly detailType: string;
  /** The JSON text of `{ metadata, data }`. */
  readonly detail: string;
  /** ISO 8601 in UTC. */
  readonly time: string;
}

/** What an entry of PutEvents may carry besides the event. */
export interface EntryOptions {
  /** ARNs of what the event is about. Millrace's own events name none. */
  readonly resources?: readonly string[];
  /** X-Ray trace header: travels beside the event, not in it. https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html */
  readonly traceHeader?: string;
}

/** Makes the variant of an event that its contract lets leave for analytics. */
export type MakeVariant = (event: EventEntry, pseudonymize: Pseudonymize | undefined) => EmittableEvent;

/** An event that is fully formed and has not been emitted yet. Made by a contract's `create`, or read from an outbox. */
export class EmittableEvent<Event = unknown> implements EventEntry, EntryOptions {
  readonly source: string;
  readonly detailType: string;
  readonly detail: string;
  readonly time: string;
  readonly resources: readonly string[];
  readonly traceHeader?: string;
  readonly #makeVariant: MakeVariant | undefined;

  /** @param makeVariant of its contract, if that declares `analytics` */
  constructor(entry: EventEntry, { resources = [], traceHeader }: EntryOptions = {}, makeVariant?: MakeVariant) {
    this.source = entry.source;
    this.detailType = entry.detailType;
    this.detail = entry.detail;
    this.time = entry.time;
    this.resources = resources;
    if (traceHeader !== undefined) this.traceHeader = traceHeader;
    this.#makeVariant = makeVariant;
  }

  /**
   * The event as analytics may have it: a new event, whose id follows from this one's, with this one as its `causationId`, the
   * category `transformed`, and of the data what its contract declares under `analytics`. Only a relay calls it, because only relays
   * may put events on the analytics bus.
   *
   * @param pseudonymize needed when the contract lets ids of persons leave as pseudonyms
   * @returns the same whenever it is called; undefined when the contract declares no `analytics`, or the event was not made by one
   * @throws SchemaViolationError, UpcastFailedError when a stored event is not what its contract says
   * @example OrderPlaced.restore(row).analyticsVariant()?.event // { detailType: 'OrderPlaced.v1', data: { orderId: … }, … }
   */
  analyticsVariant(pseudonymize?: Pseudonymize): EmittableEvent | undefined {
    return this.#makeVariant?.(this.entry, pseudonymize);
  }

  /** The event as its consumers will see it. */
  get event(): Event {
    const { metadata, data } = JSON.parse(this.detail);
    const event = { source: this.source, detailType: this.detailType, metadata, data } as Event;
    const redaction = guardOf(this);
    return redaction ? guard(event, redaction) : event;
  }

  /** The four strings alone, for storing. */
  get entry(): EventEntry {
    return { source: this.source, detailType: this.detailType, detail: this.detail, time: this.time };
  }
}
