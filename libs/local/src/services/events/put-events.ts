import { randomUUID } from 'node:crypto';
import { JsonObject, parseJson } from '@millrace/event-pattern';
import { eventBridgeLimits } from '@millrace/events/aws-limits';
import { AwsError } from '../../core/aws-error.ts';
import { createBusEvent } from './bus-event.ts';
import { notAuthorizedForSource } from './put-events-authorization.ts';
import type { AcceptedEntry, EntryError } from './put-events-entry.ts';
import { type Input, optionalString, optionalTime, requiredList, structure } from './request-parameters.ts';

/** One entry of a PutEvents call, or the reason it was refused. */
export type ReadEntry = AcceptedEntry | { readonly error: EntryError };

/**
 * Reads the input of PutEvents: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 * @throws AwsError ValidationException where the whole call is refused: not 1–10 entries, more than 1 MB in all, or a text
 * that is longer than its parameter may be.
 */
export function readPutEvents(
  input: Input,
  bus: { accountId: string; region: string; now: () => number },
): readonly ReadEntry[] {
  const entries = requiredList(input, 'Entries', eventBridgeLimits.entriesPerPut).map(readEntry);
  const total = entries.reduce((sum, entry) => sum + entrySize(entry), 0);
  if (total > eventBridgeLimits.bytesPerPut) {
    throw new AwsError('ValidationException', 'Total size of the entries in the request is over the limit.');
  }
  return entries.map((entry) => acceptEntry(entry, bus));
}

interface Entry {
  time: number | undefined;
  source: string | undefined;
  detailType: string | undefined;
  detail: string | undefined;
  resources: readonly string[];
  busNameOrArn: string;
  traceHeader: string | undefined;
}

/** Bytes of an entry as AWS counts them: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html */
function entrySize({ time, source, detailType, detail, resources }: Entry): number {
  const texts = [source, detailType, detail, ...resources];
  return (time === undefined ? 0 : 14) + texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 0);
}

function readEntry(value: unknown): Entry {
  const entry = structure(value, 'Entries');
  return {
    time: optionalTime(entry, 'Time'),
    source: readText(entry, 'Source'),
    detailType: readText(entry, 'DetailType'),
    detail: readText(entry, 'Detail'),
    resources: readResources(entry.Resources ?? []),
    busNameOrArn:
      optionalString(entry, 'EventBusName', { maximumLength: eventBridgeLimits.busNameOrArnLength }) ?? 'default',
    traceHeader: readTraceHeader(entry),
  };
}

/**
 * The trace header goes with the event to its targets, and counts for nothing; one that X-Ray would not take is dropped.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-related-service-xray.html
 */
function readTraceHeader(entry: Input): string | undefined {
  const header = optionalString(entry, 'TraceHeader', { maximumLength: eventBridgeLimits.traceHeaderLength });
  return header !== undefined && /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}(;[^;=]+=[^;]*)*$/i.test(header) ? header : undefined;
}

function acceptEntry(entry: Entry, { accountId, region, now }: Parameters<typeof readPutEvents>[1]): ReadEntry {
  const { source, detailType, detail } = entry;
  if (!source) return missing('Source');
  if (!detailType) return missing('DetailType');
  if (!detail) return missing('Detail');
  if (detailType.length > eventBridgeLimits.detailTypeLength) {
    return invalid('DetailType', `DetailType must have at most ${eventBridgeLimits.detailTypeLength} characters.`);
  }
  if (source.startsWith('aws.')) return { error: notAuthorizedForSource };
  const parsed = parseDetail(detail);
  if (!parsed) return refused('MalformedDetail', 'Detail is malformed.');
  const ingestedAt = now();
  const event = createBusEvent({
    id: randomUUID(),
    detailType,
    source,
    account: accountId,
    time: entry.time ?? ingestedAt,
    region,
    resources: entry.resources,
    detail: parsed,
    detailText: detail,
    traceHeader: entry.traceHeader,
    ingestedAt,
  });
  return { busNameOrArn: entry.busNameOrArn, source, detailType, event };
}

function parseDetail(text: string): JsonObject | undefined {
  try {
    const detail = parseJson(text);
    return detail instanceof JsonObject ? detail : undefined;
  } catch {
    return undefined;
  }
}

function readText(entry: Input, name: string): string | undefined {
  const value = entry[name] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw new AwsError('SerializationException', `${name} must be a string`);
}

function readResources(value: unknown): string[] {
  if (!Array.isArray(value) || !value.every((resource) => typeof resource === 'string')) {
    throw new AwsError('SerializationException', 'Resources must be a list of strings');
  }
  const { resourceLength } = eventBridgeLimits;
  if (value.some(({ length }) => length > resourceLength)) {
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value at 'resources' failed to satisfy constraint: Member must have length less than or equal to ${resourceLength}`,
    );
  }
  return value;
}

function missing(parameter: string): ReadEntry {
  return invalid(parameter, `${parameter} is a required argument.`);
}

function invalid(parameter: string, reason: string): ReadEntry {
  return refused('InvalidArgument', `Parameter ${parameter} is not valid. Reason: ${reason}`);
}

function refused(ErrorCode: string, ErrorMessage: string): ReadEntry {
  return { error: { ErrorCode, ErrorMessage } };
}
