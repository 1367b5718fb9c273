import type * as z from 'zod';
import type { AnalyticsDeclaration } from './analytics.ts';
import type { EmittableEvent, EventEntry } from './emittable-event.ts';
import type { categories, dataSensitivities, Metadata, types } from './metadata.ts';

/** An event as a consumer sees it. `detailType` tells the members of a union apart. */
export interface Event<DetailType extends string = string, Data = unknown> {
  readonly source: string;
  readonly detailType: DetailType;
  readonly metadata: Metadata;
  readonly data: Data;
}

/** What a contract declares. */
export interface EventDefinition<
  Name extends string,
  Version extends number,
  Schema extends z.ZodType,
  Old = unknown,
  Field extends string = string,
  Pseudonym extends string = string,
> {
  /** Past tense, specific: `OrderPlaced`. */
  name: Name;
  /** A breaking change is a new version. It takes the place of the old one when it `upcasts`, and else stands beside it. */
  version: Version;
  /** The one service that emits it: `orders`. */
  service: string;
  category: Exclude<(typeof categories)[number], 'transformed'>;
  type: (typeof types)[number];
  /** One sentence for the catalogue. */
  summary: string;
  /** Of a data section without fields marked as `personal`; the default is `internal`. With one it is `personal`. */
  dataSensitivity?: Exclude<(typeof dataSensitivities)[number], 'personal'>;
  /** Bounded context inside the domain; the default is the service. */
  subdomain?: string;
  /** Default: the service's own team. */
  team?: string;
  /** Whom to ask; default: the team. */
  owner?: string;
  tags?: Record<string, string>;
  data: Schema;
  /** A valid data section: documents the contract and feeds tests and fixtures. */
  example: z.input<Schema>;
  /** How events of the version before become events of this one, wherever they are read. */
  upcasts?: Upcasts<Old, z.input<Schema>>;
  /** What of the data may leave for analytics. Without it, the event stays off the analytics bus. */
  analytics?: AnalyticsDeclaration<Field, Pseudonym>;
}

/** What an event inherits from the request or the event behind it. */
export interface Cause {
  correlationId: string;
  /** Id of the event behind it; absent when a request is. */
  causationId?: string | undefined;
  traceparent?: string | undefined;
}

/** What the moment of creation adds: identity, time and cause. Passed in, so that creating an event stays pure. */
export interface EventContext extends Cause {
  id: string;
  time: Date;
  /** The aggregate's id. */
  subject: string;
  sequence?: number | undefined;
}

/** Where the producer runs. */
export interface EventEnvironment {
  stage: string;
  region: string;
  jurisdiction: string;
}

/** How to read one kind of event: type, validator, rule pattern and JSON Schema. */
export interface ReadableContract<DetailType extends string = string, Data = unknown> {
  readonly name: string;
  readonly version: number;
  readonly service: string;
  readonly source: string;
  readonly detailType: DetailType;
  /** `transformed` for variants, which are on the analytics bus; all others are on the domain bus. */
  readonly category: (typeof categories)[number];
  readonly type: (typeof types)[number];
  readonly summary: string;
  readonly dataSensitivity: (typeof dataSensitivities)[number];
  /** The fields of the data section that are marked as personal, e.g. `customer.email`. */
  readonly personalFields: readonly string[];
  readonly example: Data;
  /** The detail-types that it parses: its own, then those of the versions before that are upcast, newest first. */
  readonly accepts: readonly string[];
  /**
   * Checks an EventBridge envelope against the contract. An event of a version before is checked against the contract of
   * that version, and then upcast.
   * @throws UnexpectedEventError for another source or detail-type, EnvelopeMismatchError when the metadata say that it is
   * another event than the envelope says, SchemaViolationError naming each path, and what `upcast` throws.
   */
  parse(envelope: EventEnvelope): Event<DetailType, Data>;
  /** A copy of the data without the fields that are marked as personal, or that the contract does not know. */
  redact(data: Data): unknown;
  /** The rule pattern that matches exactly what it accepts. */
  pattern(): { source: string[]; 'detail-type': string[] };
  /**
   * JSON Schema of `detail`, draft-04 as the EventBridge schema registry wants it. A personal field has
   * `"x-data-sensitivity": "personal"`.
   */
  jsonSchema(): Record<string, unknown>;
}

/** A contract: how to make and how to read one version of one event. */
export interface EventContract<
  DetailType extends string = string,
  Data = unknown,
  Analytics extends AnalyticsContract | undefined = AnalyticsContract | undefined,
> extends ReadableContract<DetailType, Data> {
  /** The contract of the version before, when this one takes its place. */
  readonly upcasts: EventContract | undefined;
  /** The contract of its variants on the analytics bus; undefined when it declares no `analytics`. */
  readonly analytics: Analytics;
  /**
   * Makes an event that is ready to be stored or emitted.
   * @throws SchemaViolationError when the data breaks the contract: a fault of the producer.
   */
  create(data: Data, context: EventContext, environment?: EventEnvironment): EmittableEvent<Event<DetailType, Data>>;
  /**
   * Makes a stored event what it was when it was created, so that it can give its analytics variant. Nothing is checked.
   * @param entry as `create` made it, or the contract of a version that this one upcasts
   */
  restore(entry: EventEntry): EmittableEvent<Event<DetailType, Data>>;
  /**
   * Leads an event up to this version, step by step: the data by the upcasters, each result checked against its contract.
   * The metadata stay as they are, but for those that tell of the data: `version` and `dataSensitivity`.
   * @param event as the contract of one of the detail-types that this one accepts has parsed it; one of this version is given back
   * @throws UpcastFailedError when an upcaster throws, or what it makes breaks the newer contract
   */
  upcast(event: Event): Event<DetailType, Data>;
}

/**
 * The contract of an event's variants: same source and detail-type, category `transformed`, and of the data what the event's contract
 * lets leave. Variants have no version history: the relay leads an older event up before it makes the variant.
 */
export interface AnalyticsContract<DetailType extends string = string, Data = unknown>
  extends ReadableContract<DetailType, Data> {
  /** The paths that leave as they are, e.g. `lines[].sku`. */
  readonly fields: readonly string[];
  /** The paths that leave as a pseudonym. */
  readonly pseudonyms: readonly string[];
}

/** The event type of a contract: `EventOf<typeof OrderPlaced>`. */
export type EventOf<Contract> =
  Contract extends ReadableContract<infer DetailType, infer Data> ? Event<DetailType, Data> : never;

/** The envelope EventBridge delivers, https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html */
export interface EventEnvelope {
  id: string;
  source: string;
  'detail-type': string;
  time: string;
  detail: unknown;
  'replay-name'?: string | undefined;
}

/** How a contract takes the place of the version before. */
export interface Upcasts<Old, New> {
  /** The contract of the version before: same name, same service. It may upcast as well. */
  from: EventContract<string, Old>;
  /** Leads a data section one version up. Pure: it may run for one event any number of times. */
  data: (old: Old) => New;
}
