import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import {
  EmitFailedError,
  EmittableEvent,
  EventBridgeEmitter,
  type EventEmitter,
  type EventEntry,
} from '@millrace/events';
import { logger, MetricUnit, metrics, publishMetrics } from '@millrace/telemetry';
import type { AttributeValue, DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { type Packed, unpack } from './payload.ts';
import type { PayloadStore } from './payload-store.ts';

/** A stored event on its way out. */
interface Outgoing {
  event: EmittableEvent;
  partitionKey: string;
  /** Position of its record in the batch. */
  index: number;
}

/**
 * The Lambda handler behind a table's stream: emits every event that was stored with an `outbox` attribute, at least
 * once, and in order within a partition. It answers with the first record that is not proved emitted, from which Lambda
 * starts again. https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 * @param payloads that of the event store, when it has one: a stored event may be a reference into it.
 */
export function relay(
  emitter: EventEmitter = emitterFromEnvironment(),
  payloads?: PayloadStore,
): (event: DynamoDBStreamEvent) => Promise<DynamoDBBatchResponse> {
  return async ({ Records }) => {
    const { outgoing, unreadable } = await readOutbox(Records, payloads);
    const emitted = new Set<Outgoing>();

    for (const wave of waves(outgoing)) {
      const unsent = await unsentOf(emitter, wave);
      for (const item of wave) if (!unsent.has(item.event)) emitted.add(item);
      // The next wave holds later events of the same partitions, which must not overtake this one.
      if (unsent.size > 0) break;
    }

    if (emitted.size > 0) {
      metrics.addMetric('EventEmitted', MetricUnit.Count, emitted.size);
      publishMetrics();
    }
    const failed = outgoing.find((item) => !emitted.has(item))?.index ?? unreadable;
    if (failed === undefined) return { batchItemFailures: [] };
    // Without a number nothing of the batch may count as emitted: an empty one makes Lambda take all of it as failed.
    return { batchItemFailures: [{ itemIdentifier: Records[failed]?.dynamodb?.SequenceNumber ?? '' }] };
  };
}

/** Emits one wave and returns what was not accepted. */
async function unsentOf(emitter: EventEmitter, wave: readonly Outgoing[]): Promise<Set<EmittableEvent>> {
  const events = wave.map(({ event }) => event);
  try {
    await emitter.emit(events);
    return new Set();
  } catch (error) {
    logger.warn('Events were not emitted and will be retried', { error: error as Error });
    return new Set(error instanceof EmitFailedError ? error.unsent.map(({ event }) => event) : events);
  }
}

/** The stored events of a batch, up to the first row that cannot be read: what follows it has to wait. */
async function readOutbox(
  records: readonly DynamoDBRecord[],
  payloads: PayloadStore | undefined,
): Promise<{ outgoing: Outgoing[]; unreadable?: number }> {
  const outgoing: Outgoing[] = [];
  for (const [index, { eventName, dynamodb }] of records.entries()) {
    const outbox = eventName === 'INSERT' ? dynamodb?.NewImage?.outbox : undefined;
    if (!outbox) continue;
    const partitionKey = dynamodb?.Keys?.pk?.S ?? '';
    try {
      const event = await readEntry(outbox, payloads, `The outbox of ${partitionKey} ${dynamodb?.Keys?.sk?.S}`);
      outgoing.push({ event, partitionKey, index });
    } catch (error) {
      logger.error('An outbox row cannot be read', {
        sequence_number: dynamodb?.SequenceNumber,
        error: error as Error,
      });
      return { outgoing, unreadable: index };
    }
  }
  return { outgoing };
}

/** @throws Error when it is no event, UnreadableEventError when its packed detail cannot be had. */
async function readEntry(
  outbox: AttributeValue,
  payloads: PayloadStore | undefined,
  where: string,
): Promise<EmittableEvent> {
  const text = (name: keyof EventEntry) => outbox.M?.[name]?.S;
  const packed = packedOf(outbox.M?.packed?.M);
  const detail = packed ? await unpack(packed, payloads, where) : text('detail');
  const [source, detailType, time] = [text('source'), text('detailType'), text('time')];
  if (!source || !detailType || !detail || !time) throw new Error(`${where} is not an event`);
  return new EmittableEvent({ source, detailType, detail, time });
}

/** In a stream record bytes are Base64. */
function packedOf(map: Record<string, AttributeValue> | undefined): Packed | undefined {
  if (map?.zstd?.B !== undefined) return { zstd: Buffer.from(map.zstd.B, 'base64') };
  return map?.key?.S === undefined ? undefined : { key: map.key.S };
}

/** Splits a batch so that no wave holds two events of one partition: one call may accept the later and not the earlier. */
function waves(outgoing: readonly Outgoing[]): Outgoing[][] {
  const seen = new Map<string, number>();
  const result: Outgoing[][] = [];
  for (const item of outgoing) {
    const wave = seen.get(item.partitionKey) ?? 0;
    seen.set(item.partitionKey, wave + 1);
    result[wave] = [...(result[wave] ?? []), item];
  }
  return result;
}

/** @throws Error when MILLRACE_EVENT_BUS is not set: the plugin sets it for a function with `emits`. */
function emitterFromEnvironment(): EventEmitter {
  const busName = process.env.MILLRACE_EVENT_BUS;
  if (!busName) throw new Error('MILLRACE_EVENT_BUS must be the name of the event bus; list the events under emits:');
  return new EventBridgeEmitter({ client: new EventBridgeClient({}), busName });
}
