import * as z from 'zod';
import { EmittableEvent } from './emittable-event.ts';
import { MalformedEventError, SchemaViolationError, UnexpectedEventError } from './errors.ts';
import { type categories, type dataSensitivities, type Metadata, metadataSchema, type types } from './metadata.ts';

/** An event as a consumer sees it. `detailType` tells the members of a union apart. */
export interface Event<DetailType extends string = string, Data = unknown> {
  readonly source: string;
  readonly detailType: DetailType;
  readonly metadata: Metadata;
  readonly data: Data;
}

/** What a contract declares. */
export interface EventDefinition<Name extends string, Version extends number, Schema extends z.ZodType> {
  /** Past tense, specific: `OrderPlaced`. */
  name: Name;
  /** A breaking change is a new version beside the old one. */
  version: Version;
  /** The one service that emits it: `orders`. */
  service: string;
  category: (typeof categories)[number];
  type: (typeof types)[number];
  /** One sentence for the catalogue. */
  summary: string;
  /** Of the data section as a whole; the default is `internal`. */
  dataSensitivity?: (typeof dataSensitivities)[number];
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
}

/** What the moment of creation adds: identity, time and cause. Passed in, so that creating an event stays pure. */
export interface EventContext {
  id: string;
  time: Date;
  /** The aggregate's id. */
  subject: string;
  sequence?: number | undefined;
  correlationId: string;
  causationId?: string | undefined;
  traceparent?: string | undefined;
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
  readonly example: Data;
  /**
   * Makes an event that is ready to be stored or emitted.
   * @throws SchemaViolationError when the data breaks the contract: a fault of the producer.
   */
  create(data: Data, context: EventContext, environment?: EventEnvironment): EmittableEvent<Event<DetailType, Data>>;
  /**
   * Checks an EventBridge envelope against the contract.
   * @throws UnexpectedEventError for another source or detail-type, SchemaViolationError naming each path.
   */
  parse(envelope: EventEnvelope): Event<DetailType, Data>;
  /** The rule pattern that matches exactly this event. */
  pattern(): { source: string[]; 'detail-type': string[] };
  /** JSON Schema of `detail`, draft-04 as the EventBridge schema registry wants it. */
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
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the body, which may hold personal data.
    throw new MalformedEventError('the body is not JSON');
  }
  const result = envelopeSchema.safeParse(value);
  if (!result.success) {
    throw new MalformedEventError(
      issuesOf(result.error)
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

/** Defines one version of one event. See {@link EventDefinition} for what it takes. */
export function defineEvent<const Name extends string, const Version extends number, Schema extends z.ZodType>(
  definition: EventDefinition<Name, Version, Schema>,
): EventContract<`${Name}.v${Version}`, z.output<Schema>> {
  type Data = z.output<Schema>;
  type DetailType = `${Name}.v${Version}`;
  const { name, version, service, category, type, summary } = definition;
  const team = definition.team ?? service;
  const source = `millrace.${service}`;
  const detailType: DetailType = `${name}.v${version}`;
  const dataSensitivity = definition.dataSensitivity ?? 'internal';
  const detailSchema: z.ZodType<{ metadata: Metadata; data: Data }> = z.object({
    metadata: metadataSchema.extend({ name: z.literal(name), version: z.literal(version) }),
    data: definition.data as z.ZodType<Data>,
  });

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
    example: definition.example as Data,

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
      const detail = validated(detailSchema.safeParse({ metadata, data }), detailType);
      return new EmittableEvent({ source, detailType, detail: JSON.stringify(detail), time: metadata.timestamp });
    },

    parse(envelope) {
      if (envelope.source !== source || envelope['detail-type'] !== detailType) {
        throw new UnexpectedEventError(envelope.source, envelope['detail-type'], [`${detailType} from ${source}`]);
      }
      const { metadata, data } = validated(detailSchema.safeParse(envelope.detail), detailType);
      return { source, detailType, metadata, data };
    },

    pattern: () => ({ source: [source], 'detail-type': [detailType] }),

    jsonSchema: () => z.toJSONSchema(detailSchema, { target: 'draft-04', io: 'input' }) as Record<string, unknown>,
  };
}

function validated<Output>(result: z.ZodSafeParseResult<Output>, detailType: string): Output {
  if (result.success) return result.data;
  throw new SchemaViolationError(detailType, issuesOf(result.error));
}

function issuesOf(error: z.ZodError) {
  return error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
}
