import { guard, redact } from '@millrace/privacy';
import { personalFields, redactionOf, shownPath } from '@millrace/privacy/personal';
import * as z from 'zod';
import { eventBridgeLimits } from './aws-limits.ts';
import { EmittableEvent } from './emittable-event.ts';
import { envelopeMismatches } from './envelope-mismatch.ts';
import {
  EnvelopeMismatchError,
  MalformedEventError,
  SchemaViolationError,
  UnexpectedEventError,
  UpcastFailedError,
} from './errors.ts';
import { type categories, type dataSensitivities, type Metadata, metadataSchema, type types } from './metadata.ts';
import { NotUnicodeError, parseJson } from './parse-json.ts';
import { checkUpcasts } from './upcasts.ts';

/** An event as a consumer sees it. `detailType` tells the members of a union apart. */
export interface Event<DetailType extends string = string, Data = unknown> {
  readonly source: string;
  readonly detailType: DetailType;
  readonly metadata: Metadata;
  readonly data: Data;
}

/** What a contract declares. */
export interface EventDefinition<Name extends string, Version extends number, Schema extends z.ZodType, Old = unknown> {
  /** Past tense, specific: `OrderPlaced`. */
  name: Name;
  /** A breaking change is a new version. It takes the place of the old one when it `upcasts`, and else stands beside it. */
  version: Version;
  /** The one service that emits it: `orders`. */
  service: string;
  category: (typeof categories)[number];
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

/** A contract: type, validator, rule pattern and JSON Schema of one version of one event. */
export interface EventContract<DetailType extends string = string, Data = unknown> {
  readonly name: string;
  readonly version: number;
  readonly service: string;
  readonly source: string;
  readonly detailType: DetailType;
  readonly category: (typeof categories)[number];
  readonly type: (typeof types)[number];
  readonly summary: string;
  readonly dataSensitivity: (typeof dataSensitivities)[number];
  /** The fields of the data section that are marked as personal, e.g. `customer.email`. */
  readonly personalFields: readonly string[];
  readonly example: Data;
  /** The contract of the version before, when this one takes its place. */
  readonly upcasts: EventContract | undefined;
  /** The detail-types that it parses: its own, then those of the versions before that are upcast, newest first. */
  readonly accepts: readonly string[];
  /**
   * Makes an event that is ready to be stored or emitted.
   * @throws SchemaViolationError when the data breaks the contract: a fault of the producer.
   */
  create(data: Data, context: EventContext, environment?: EventEnvironment): EmittableEvent<Event<DetailType, Data>>;
  /**
   * Checks an EventBridge envelope against the contract. An event of a version before is checked against the contract of
   * that version, and then upcast.
   * @throws UnexpectedEventError for another source or detail-type, EnvelopeMismatchError when the metadata say that it is
   * another event than the envelope says, SchemaViolationError naming each path, and what `upcast` throws.
   */
  parse(envelope: EventEnvelope): Event<DetailType, Data>;
  /**
   * Leads an event up to this version, step by step: the data by the upcasters, each result checked against its contract.
   * The metadata stay as they are, but for those that tell of the data: `version` and `dataSensitivity`.
   * @param event as the contract of one of the detail-types that this one accepts has parsed it; one of this version is given back
   * @throws UpcastFailedError when an upcaster throws, or what it makes breaks the newer contract
   */
  upcast(event: Event): Event<DetailType, Data>;
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

/** The event type of a contract: `EventOf<typeof OrderPlaced>`. */
export type EventOf<Contract> =
  Contract extends EventContract<infer DetailType, infer Data> ? Event<DetailType, Data> : never;

/** The envelope EventBridge delivers, https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html */
export interface EventEnvelope {
  id: string;
  source: string;
  'detail-type': string;
  time: string;
  detail: unknown;
  'replay-name'?: string | undefined;
}

const envelopeSchema = z.looseObject({
  id: z.string(),
  source: z.string(),
  'detail-type': z.string(),
  time: z.string(),
  detail: z.looseObject({}),
  'replay-name': z.string().optional(),
});

/**
 * Reads the JSON text of an EventBridge event, e.g. an SQS message body.
 * @throws MalformedEventError when it is not JSON or not an event.
 */
export function parseEnvelope(text: string): EventEnvelope {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    // The parser's own message quotes the body, which may hold personal data.
    throw new MalformedEventError(
      error instanceof NotUnicodeError
        ? 'the body contains a string that is not valid Unicode'
        : 'the body is not JSON',
    );
  }
  const result = envelopeSchema.safeParse(value);
  if (!result.success) {
    throw new MalformedEventError(
      issuesOf(result.error, envelopeSchema)
        .map(({ path, message }) => `${path || 'body'}: ${message}`)
        .join('; '),
    );
  }
  return result.data;
}

/** Reads where the producer runs from the variables every Millrace function has. */
export function environmentOf(variables: NodeJS.ProcessEnv = process.env): EventEnvironment {
  return {
    stage: variables.MILLRACE_STAGE ?? 'dev',
    region: variables.AWS_REGION ?? 'us-east-1',
    jurisdiction: variables.MILLRACE_JURISDICTION ?? 'global',
  };
}

/**
 * Defines one version of one event. See {@link EventDefinition} for what it takes.
 * @throws Error when its detail-type is not `<Name>.v<version>` or too long for EventBridge, it is declared less sensitive than a field that is marked as personal, or upcasts another event than the
 * version before
 */
export function defineEvent<const Name extends string, const Version extends number, Schema extends z.ZodType, Old>(
  definition: EventDefinition<Name, Version, Schema, Old>,
): EventContract<`${Name}.v${Version}`, z.output<Schema>> {
  type Data = z.output<Schema>;
  type DetailType = `${Name}.v${Version}`;
  const { name, version, service, category, type, summary, upcasts } = definition;
  const team = definition.team ?? service;
  const source = `millrace.${service}`;
  const detailType: DetailType = `${name}.v${version}`;
  checkDetailType(detailType);
  const personal = personalFields(definition.data);
  if (definition.dataSensitivity !== undefined && personal.length > 0) {
    throw new Error(
      `${detailType} is declared ${definition.dataSensitivity}, but has personal fields: ${personal.join(', ')}. ` +
        'Leave dataSensitivity out: it follows from the fields',
    );
  }
  if (upcasts) checkUpcasts(definition, upcasts.from);
  const accepts = [detailType, ...(upcasts?.from.accepts ?? [])];
  const dataSensitivity = personal.length > 0 ? 'personal' : (definition.dataSensitivity ?? 'internal');
  const detailShape = {
    metadata: metadataSchema.extend({
      name: z.literal(name),
      version: z.literal(version),
      service: z.literal(service),
    }),
    data: definition.data as z.ZodType<Data>,
  };
  const detailSchema: z.ZodType<{ metadata: Metadata; data: Data }> = z.object(detailShape);
  const redaction = redactionOf(
    z.object({ source: z.string(), detailType: z.string(), time: z.string(), ...detailShape }),
  );
  const dataRedaction = redactionOf(definition.data);

  function upcast(event: Event): Event<DetailType, Data> {
    if (event.detailType === detailType) return event as Event<DetailType, Data>;
    if (!upcasts) throw new UnexpectedEventError(event.source, event.detailType, accepts);
    const { metadata, data } = upcasts.from.upcast(event);
    try {
      const detail = { metadata: { ...metadata, version, dataSensitivity }, data: upcasts.data(data) };
      return guard({ source, detailType, ...validated(detail, detailSchema, detailType) }, redaction);
    } catch (cause) {
      throw new UpcastFailedError(upcasts.from.detailType, detailType, cause);
    }
  }

  return {
    name,
    version,
    service,
    source,
    detailType,
    category,
    type,
    summary,
    dataSensitivity,
    personalFields: personal,
    example: definition.example as Data,
    upcasts: upcasts?.from,
    accepts,

    create(data, context, environment = environmentOf()) {
      const metadata: Metadata = {
        id: context.id,
        version,
        name,
        timestamp: context.time.toISOString(),
        timestampEpoch: context.time.getTime(),
        correlationId: context.correlationId,
        ...(context.causationId === undefined ? {} : { causationId: context.causationId }),
        ...(context.traceparent === undefined ? {} : { traceparent: context.traceparent }),
        domain: 'commerce',
        subdomain: definition.subdomain ?? service,
        service,
        team,
        owner: definition.owner ?? team,
        category,
        type,
        subject: context.subject,
        ...(context.sequence === undefined ? {} : { sequence: context.sequence }),
        lifecycleStage: environment.stage,
        region: environment.region,
        jurisdiction: environment.jurisdiction,
        ...(definition.tags === undefined ? {} : { tags: definition.tags }),
        dataSensitivity,
      };
      const detail = validated({ metadata, data }, detailSchema, detailType);
      const entry = { source, detailType, detail: detailText(detail), time: metadata.timestamp };
      return guard(new EmittableEvent<Event<DetailType, Data>>(entry), redaction);
    },

    parse(envelope) {
      const { source: from, 'detail-type': type } = envelope;
      if (from !== source || !accepts.includes(type)) {
        throw new UnexpectedEventError(from, type, [`${accepts.join(' or ')} from ${source}`]);
      }
      if (upcasts && type !== detailType) return upcast(upcasts.from.parse(envelope));
      const mismatches = envelopeMismatches(envelope);
      if (mismatches.length > 0) throw new EnvelopeMismatchError(detailType, mismatches);
      const { metadata, data } = validated(envelope.detail, detailSchema, detailType);
      return guard({ source, detailType, metadata, data }, redaction);
    },

    upcast,

    redact: (data) => redact(data, dataRedaction),

    pattern: () => ({ source: [source], 'detail-type': [...accepts] }),

    jsonSchema: () =>
      z.toJSONSchema(detailSchema, { target: 'draft-04', io: 'input', override: markAsExtension }) as Record<
        string,
        unknown
      >,
  };
}

/** @throws Error when the bus would refuse each event of the contract, or no template could list it */
function checkDetailType(detailType: string): void {
  const { detailTypeLength } = eventBridgeLimits;
  if (!/^[A-Z][A-Za-z0-9]*\.v[1-9][0-9]*$/.test(detailType)) {
    throw new Error(
      `${detailType} is not a valid detail-type: a name is letters and digits, beginning with a capital letter, and a version ` +
        'is 1, 2, 3 …, e.g. OrderPlaced.v1',
    );
  }
  if (detailType.length > detailTypeLength) {
    throw new Error(
      `${detailType} has ${detailType.length} characters, but EventBridge takes ${detailTypeLength} in a detail-type: shorten the name`,
    );
  }
}

/**
 * JSON that every queue takes: of the characters that SQS refuses, JSON.stringify leaves two as they are.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
function detailText(detail: unknown): string {
  return JSON.stringify(detail).replace(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}

function validated<Output>(value: unknown, schema: z.ZodType<Output>, detailType: string): Output {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new SchemaViolationError(detailType, issuesOf(result.error, schema));
}

/** What is wrong, by paths and expectations. The names of unknown fields come from the data, as values do. */
function issuesOf(error: z.ZodError, schema: z.ZodType) {
  return error.issues.map(({ code, path, message }) => ({
    path: shownPath(path, schema),
    message: code === 'unrecognized_keys' ? 'Unknown field' : message,
  }));
}

/** Registries accept keywords of their own users when these start with `x-`. */
function markAsExtension({ jsonSchema }: { jsonSchema: Record<string, unknown> }): void {
  const { dataSensitivity } = jsonSchema;
  if (dataSensitivity === undefined) return;
  delete jsonSchema.dataSensitivity;
  jsonSchema['x-data-sensitivity'] = dataSensitivity;
}

/** How a contract takes the place of the version before. */
export interface Upcasts<Old, New> {
  /** The contract of the version before: same name, same service. It may upcast as well. */
  from: EventContract<string, Old>;
  /** Leads a data section one version up. Pure: it may run for one event any number of times. */
  data: (old: Old) => New;
}
