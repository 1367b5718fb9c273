import { personalFields } from '@millrace/privacy/personal';
import * as z from 'zod';
import type { AnalyticsData, AnalyticsField, AnalyticsPseudonym } from './analytics.ts';
import { analyticsContract } from './analytics-contract.ts';
import { eventBridgeLimits } from './aws-limits.ts';
import { contractReader } from './contract-reader.ts';
import { EmittableEvent, type EventEntry, type MakeVariant } from './emittable-event.ts';
import { UnexpectedEventError, UpcastFailedError } from './errors.ts';
import type { AnalyticsContract, Event, EventContract, EventDefinition, EventEnvironment } from './event-contract.ts';
import { categories, type Metadata, metadataSchema } from './metadata.ts';
import { checkUpcasts } from './upcasts.ts';
import { detailText } from './validation.ts';

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
export function defineEvent<
  const Name extends string,
  const Version extends number,
  Schema extends z.ZodType,
  Old,
  const Field extends AnalyticsField<Schema> = never,
  const Pseudonym extends AnalyticsPseudonym<Schema> = never,
>(
  definition: EventDefinition<Name, Version, Schema, Old, Field, Pseudonym>,
): DefinedEvent<`${Name}.v${Version}`, z.output<Schema>, Field | Pseudonym> {
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
  const example = definition.example as Data;
  const reader = contractReader({
    ...{ source, detailType, accepts },
    metadata: metadataSchema.extend({
      name: z.literal(name),
      version: z.literal(version),
      service: z.literal(service),
      category: z.enum(categories).exclude(['transformed']), // a variant has a contract of its own
    }),
    data: definition.data as z.ZodType<Data>,
  });
  const analytics =
    definition.analytics &&
    analyticsContract(
      {
        ...{ name, version, service, source, detailType, type, summary, dataSensitivity, example },
        tags: definition.tags,
      },
      definition.data,
      definition.analytics,
    );

  function upcast(event: Event): Event<DetailType, Data> {
    if (event.detailType === detailType) return event as Event<DetailType, Data>;
    if (!upcasts) throw new UnexpectedEventError(event.source, event.detailType, accepts);
    const { metadata, data } = upcasts.from.upcast(event);
    try {
      const detail = { metadata: { ...metadata, version, dataSensitivity }, data: upcasts.data(data) };
      return reader.guard({ source, detailType, ...reader.check(detail) });
    } catch (cause) {
      throw new UpcastFailedError(upcasts.from.detailType, detailType, cause);
    }
  }

  const makeVariant: MakeVariant | undefined =
    analytics &&
    ((stored, pseudonymize) => {
      const detail = JSON.parse(stored.detail);
      const { source: from, detailType: storedType, time } = stored;
      const event =
        storedType === detailType
          ? { source, detailType, ...detail }
          : contract.parse({ id: '', source: from, 'detail-type': storedType, time, detail });
      return analytics.variantOf(event, time, pseudonymize);
    });

  const emittable = (entry: EventEntry) => new EmittableEvent<Event<DetailType, Data>>(entry, {}, makeVariant);
  const { parse, redact, pattern, jsonSchema } = reader;
  const contract: EventContract<DetailType, Data> = {
    ...{ name, version, service, source, detailType, category, type, summary, dataSensitivity, accepts, example },
    personalFields: personal,
    upcasts: upcasts?.from,
    analytics: analytics?.contract,

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
      const detail = detailText(reader.check({ metadata, data }));
      return reader.guard(emittable({ source, detailType, detail, time: metadata.timestamp }));
    },

    restore: (entry) => reader.guard(emittable(entry)),

    parse(envelope) {
      const { source: from, 'detail-type': storedType } = envelope;
      const isOlder = from === source && storedType !== detailType && accepts.includes(storedType);
      return upcasts && isOlder ? upcast(upcasts.from.parse(envelope)) : parse(envelope);
    },

    upcast,
    ...{ redact, pattern, jsonSchema },
  };
  return contract as DefinedEvent<DetailType, Data, Field | Pseudonym>;
}

/** A contract, with that of its variants when it declares what of it may leave. */
export type DefinedEvent<DetailType extends string, Data, Path extends string> = EventContract<
  DetailType,
  Data,
  [Path] extends [never] ? undefined : AnalyticsContract<DetailType, AnalyticsData<Data, Path>>
>;

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
