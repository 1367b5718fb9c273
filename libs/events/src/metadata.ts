import * as z from 'zod';

/** How far the event travels: across the domain, to operators, inside its service, or as a variant of another event. */
export const categories = ['domain', 'operational', 'internal', 'transformed'] as const;
/** What the event asks of its reader. */
export const types = ['command', 'data', 'query', 'request', 'response', 'status', 'task'] as const;
/** How sensitive the data section is, by its most sensitive field. What is `personal` must not reach logs or analytics. */
export const dataSensitivities = ['public', 'internal', 'personal'] as const;

/**
 * The `metadata` half of every event's `detail`. Unknown keys are kept, so that a newer producer can add fields without
 * breaking an older consumer.
 */
export const metadataSchema = z.looseObject({
  /** Identity of the event: the key for de-duplication. Unlike the SQS and EventBridge ids, it survives a redrive. */
  id: z.string().min(1),
  /** Version of the contract, as in the detail-type. */
  version: z.int().positive(),
  /** Name of the contract, e.g. `OrderPlaced`. */
  name: z.string().min(1),
  /** When it happened, ISO 8601 in UTC. */
  timestamp: z.iso.datetime(),
  /** The same in milliseconds since 1970, for numeric rule patterns. */
  timestampEpoch: z.int().nonnegative(),
  /** Shared by everything that one request set off. */
  correlationId: z.string().min(1),
  /** The id of the event (or request) that directly caused this one. */
  causationId: z.string().min(1).optional(),
  /** W3C Trace Context, https://www.w3.org/TR/trace-context/ */
  traceparent: z.string().optional(),
  domain: z.string(),
  subdomain: z.string(),
  service: z.string(),
  team: z.string(),
  owner: z.string(),
  category: z.enum(categories),
  type: z.enum(types),
  /** Identity of the aggregate it is about, e.g. the order id. */
  subject: z.string().min(1),
  /** Position among the subject's events from this service, from 1: lets a consumer see a gap or a late arrival. */
  sequence: z.int().positive().optional(),
  lifecycleStage: z.string(),
  region: z.string(),
  jurisdiction: z.string(),
  tags: z.record(z.string(), z.string()).optional(),
  dataSensitivity: z.enum(dataSensitivities),
  /** When stored copies may be deleted, in seconds since 1970. */
  ttl: z.int().positive().optional(),
});

export type Metadata = z.output<typeof metadataSchema>;
