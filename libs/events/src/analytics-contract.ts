import * as z from 'zod';
import type { AnalyticsDeclaration, Pseudonymize } from './analytics.ts';
import { selectionOf } from './analytics-selection.ts';
import { contractReader } from './contract-reader.ts';
import { derivedId } from './derived-id.ts';
import { EmittableEvent } from './emittable-event.ts';
import type { AnalyticsContract, Event, EventContract } from './event-contract.ts';
import { type Metadata, metadataSchema } from './metadata.ts';
import { detailText } from './validation.ts';

/** The subject of a variant whose aggregate is known by an id that may not leave. */
export const WITHHELD_SUBJECT = 'withheld';

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/**
 * The contract of an event's variants, and how they are made.
 * @param contract of the event
 * @throws Error when the declaration lets leave what may not, see `selectionOf`
 */
export function analyticsContract<DetailType extends string>(
  contract: Pick<
    EventContract<DetailType>,
    'name' | 'version' | 'service' | 'source' | 'detailType' | 'type' | 'summary' | 'dataSensitivity' | 'example'
  > & { tags: Record<string, string> | undefined },
  data: z.ZodType,
  declaration: AnalyticsDeclaration<string, string>,
): {
  contract: AnalyticsContract<DetailType>;
  variantOf: (event: Event, time: string, pseudonymize?: Pseudonymize) => EmittableEvent;
} {
  const { name, version, service, source, detailType, type, summary, tags } = contract;
  const { schema, select } = selectionOf(data, declaration, detailType);
  const { fields, pseudonyms = [] } = declaration;
  // What was personal stays behind.
  const dataSensitivity = contract.dataSensitivity === 'personal' ? 'internal' : contract.dataSensitivity;
  const reader = contractReader({
    source,
    detailType,
    accepts: [detailType],
    metadata: metadataSchema.extend({
      name: z.literal(name),
      version: z.literal(version),
      service: z.literal(service),
      category: z.literal('transformed'),
      causationId: z.string().min(1),
    }),
    data: schema,
  });

  function variantOf(event: Event, time: string, pseudonymize: Pseudonymize = noPseudonyms): EmittableEvent {
    const { metadata } = event;
    const leaving = new Map<string, string>();
    const selected = select(event.data, {
      text: (value) => leaving.set(value, value),
      pseudonymize: (personId) => {
        const pseudonym = pseudonymize(personId);
        leaving.set(personId, pseudonym);
        return pseudonym;
      },
    });
    const subject = leaving.get(metadata.subject);
    const { sequence } = metadata;
    const variant: Metadata = {
      id: derivedId(['analytics-variant', metadata.id]),
      version,
      name,
      timestamp: metadata.timestamp,
      timestampEpoch: metadata.timestampEpoch,
      // Millrace makes correlation ids itself, as UUIDs. Any other text could name a person.
      correlationId: uuid.test(metadata.correlationId) ? metadata.correlationId : metadata.id,
      causationId: metadata.id,
      domain: metadata.domain,
      subdomain: metadata.subdomain,
      service,
      team: metadata.team,
      owner: metadata.owner,
      category: 'transformed',
      type,
      subject: subject ?? WITHHELD_SUBJECT,
      ...(subject !== undefined && sequence !== undefined && { sequence }),
      lifecycleStage: metadata.lifecycleStage,
      region: metadata.region,
      jurisdiction: metadata.jurisdiction,
      ...(tags && { tags }),
      dataSensitivity,
    };
    const detail = detailText(reader.check({ metadata: variant, data: selected }));
    return reader.guard(new EmittableEvent({ source, detailType, detail, time }));
  }

  const { parse, redact, pattern, jsonSchema } = reader;
  return {
    contract: {
      ...{ name, version, service, source, detailType, type, summary, dataSensitivity, fields, pseudonyms },
      ...{ parse, redact, pattern, jsonSchema },
      category: 'transformed',
      personalFields: [],
      example: select(contract.example, { text: () => {}, pseudonymize: () => examplePseudonym }),
      accepts: [detailType],
    },
    variantOf,
  };
}

const examplePseudonym = '3b1f0c9d8e7a65544332211000ffeedd';

function noPseudonyms(): never {
  throw new TypeError(
    'The contract lets ids of persons leave as pseudonyms: give analyticsVariant the function that makes them',
  );
}
