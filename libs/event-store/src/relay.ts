import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import {
  EmitFailedError,
  EmittableEvent,
  EventBridgeEmitter,
  type EventEmitter,
  type EventEntry,
} from '@millrace/events';
import { logger, MetricUnit, metrics, publishMetrics } from '@millrace/telemetry';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';

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
 */
export function relay(
  emitter: EventEmitter = emitterFromEnvironment(),
): (event: DynamoDBStreamEvent) => Promise<DynamoDBBatchResponse> {
  return async ({ Records }) => {
    const { outgoing, unreadable } = readOutbox(Records);
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
function readOutbox(records: readonly DynamoDBRecord[]): { outgoing: Outgoing[]; unreadable?: number } {
  const outgoing: Outgoing[] = [];
  for (const [index, record] of records.entries()) {
    const outbox = record.eventName === 'INSERT' ? record.dynamodb?.NewImage?.outbox : undefined;
    if (!outbox) continue;
    const text = (name: keyof EventEntry) => outbox.M?.[name]?.S;
    const [source, detailType, detail, time] = [text('source'), text('detailType'), text('detail'), text('time')];
    if (!source || !detailType || !detail || !time) {
      logger.error('An outbox row is not an event', { sequence_number: record.dynamodb?.SequenceNumber });
      return { outgoing, unreadable: index };
    }
    const event = new EmittableEvent({ source, detailType, detail, time });
    outgoing.push({ event, partitionKey: record.dynamodb?.Keys?.pk?.S ?? '', index });
  }
  return { outgoing };
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
