import { eventBridge } from '@millrace/aws';
import { variableFrom } from '@millrace/errors';
import { EmitFailedError, type EmittableEvent, EventBridgeEmitter, type EventEmitter } from '@millrace/events';
import { logger, MetricUnit, metrics, publishMetrics } from '@millrace/telemetry';
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { isUnreadable, type OutboxRow, outboxRowOf, readOutboxRow } from './outbox-row.ts';
import type { PayloadStore } from './payload-store.ts';
import { deadLettersFromEnvironment, type RefusedRow, type RelayDeadLetters } from './relay-dead-letters.ts';

/** A batch of a table's stream, or of rows that an operator's command has taken from the table in the shape of one. */
export interface RelayRequest extends DynamoDBStreamEvent {
  /** Whether to answer what became of each record. Lambda itself does not ask. */
  report?: boolean;
}

export interface RelayResponse extends DynamoDBBatchResponse {
  /** One for each record with an event, when the request asks for a report. */
  outcomes?: RelayOutcome[];
}

/**
 * What became of one record. `emitted`: it is on the bus. `refused`: it is in the relay's dead-letter queue, because the bus
 * will never take it. `failed`: neither, so it has to be tried again.
 */
export interface RelayOutcome {
  /** The record's `eventID`. */
  eventId: string;
  outcome: 'emitted' | 'refused' | 'failed';
  code?: string;
}

/** A row of the batch. */
interface Item extends OutboxRow {
  /** Position of its record in the batch. */
  index: number;
  event?: EmittableEvent;
  outcome?: Omit<RelayOutcome, 'eventId'>;
  /** It was done in an earlier try of the batch. */
  isRepeated?: boolean;
}

/** Rows remembered as done although an earlier one is not: some hundred batches. */
const MAX_AHEAD = 10_000;

/**
 * The Lambda handler behind a table's stream: emits every event that was stored with an `outbox` attribute, at least
 * once, and in order within a partition.
 *
 * It answers with the first record that is not done, from which Lambda starts again. Records behind it that are done are
 * remembered, so that the retries do not emit them again as long as this container lives. A row that the bus will never take
 * goes to the dead-letter queue at once and holds no other back; everything else is tried again until Lambda gives the record up.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 *
 * @param emitter unless given, the bus MILLRACE_EVENT_BUS
 * @param payloads that of the event store, when it has one: a stored event may be a reference into it.
 * @param deadLetters unless given, the queue MILLRACE_RELAY_DLQ_URL; with an emitter of one's own none, and what is refused is
 * tried again
 * @throws Error at once when one of the variables is needed and not set
 * @example
 * export const handler = relay();
 */
export function relay(
  emitter?: EventEmitter,
  payloads?: PayloadStore,
  deadLetters?: RelayDeadLetters,
): (event: RelayRequest) => Promise<RelayResponse> {
  const bus = emitter ?? emitterFromEnvironment();
  const letters = deadLetters ?? (emitter ? undefined : deadLettersFromEnvironment());
  const ahead = new Map<string, Item['outcome']>();

  return async ({ Records, report }) => {
    const items = Records.flatMap((record, index): Item[] => {
      const row = outboxRowOf(record);
      return row ? [{ ...row, index }] : [];
    });
    for (const item of items) {
      const outcome = ahead.get(idOf(item));
      if (outcome) Object.assign(item, { outcome, isRepeated: true });
    }
    await readEvents(items, payloads, letters);
    for (const wave of waves(items)) {
      // The next wave holds later events of the same partitions, which must not overtake one that is still to come.
      if (!(await emitWave(wave, bus, letters))) break;
    }

    count(items);
    const first = items.find((item) => !isDone(item));
    remember(ahead, items, first);
    return {
      // Without a number nothing of the batch may count as emitted: an empty one makes Lambda take all of it as failed.
      batchItemFailures: first ? [{ itemIdentifier: first.record.dynamodb?.SequenceNumber ?? '' }] : [],
      ...(report && {
        outcomes: items.map((item) => ({ eventId: idOf(item), outcome: 'failed' as const, ...item.outcome })),
      }),
    };
  };
}

function isDone({ outcome }: Item): boolean {
  return outcome?.outcome === 'emitted' || outcome?.outcome === 'refused';
}

/** Reads the events of rows that are not done, up to the first that cannot be read at the moment. */
async function readEvents(
  items: readonly Item[],
  payloads: PayloadStore | undefined,
  deadLetters: RelayDeadLetters | undefined,
): Promise<void> {
  for (const item of items) {
    if (item.outcome) continue;
    try {
      item.event = await readOutboxRow(item, payloads);
    } catch (error) {
      if (!isUnreadable(error)) {
        logger.warn('A stored event cannot be read and will be retried', { error: error as Error });
        item.outcome = { outcome: 'failed' };
        return;
      }
      await bury(item, { code: error.code, message: error.message }, deadLetters);
    }
  }
}

/**
 * Emits one wave, and says of each of its rows what became of it.
 * @returns whether the bus has answered all of it: yes, or never
 */
async function emitWave(
  wave: readonly Item[],
  emitter: EventEmitter,
  deadLetters: RelayDeadLetters | undefined,
): Promise<boolean> {
  const events = wave.flatMap(({ event }) => event ?? []);
  let error: unknown;
  try {
    await emitter.emit(events);
  } catch (thrown) {
    error = thrown;
    logger.warn('Events were not emitted', { error: error as Error });
  }
  const unsent = new Map(
    error instanceof EmitFailedError ? error.unsent.map((each) => [each.event, each] as const) : [],
  );
  const isKnown = error === undefined || error instanceof EmitFailedError;
  let answered = isKnown;
  const burials: Promise<void>[] = [];
  for (const item of wave) {
    const failure = item.event && unsent.get(item.event);
    if (failure?.refused) {
      // Not EventBridge's own message: it quotes the value that it does not like.
      const message = `EventBridge refused it: ${failure.errorCode}`;
      burials.push(bury(item, { code: failure.errorCode, message }, deadLetters));
    } else if (failure || !isKnown) {
      item.outcome = { outcome: 'failed', ...(failure && { code: failure.errorCode }) };
      answered = false;
    } else {
      item.outcome = { outcome: 'emitted' };
    }
  }
  await Promise.all(burials);
  return answered;
}

/** Puts a row into the dead-letter queue; when that cannot be, the row has to be tried again. */
async function bury(
  item: Item,
  reason: Pick<RefusedRow, 'code' | 'message'>,
  deadLetters: RelayDeadLetters | undefined,
): Promise<void> {
  const { record, place, event } = item;
  const told = { sequence_number: record.dynamodb?.SequenceNumber, error_code: reason.code };
  try {
    if (!deadLetters) throw new Error('This relay has no dead-letter queue');
    await deadLetters.send({ record, place, ...(event && { event }), ...reason });
    logger.error('A stored event can never be emitted and goes to the dead-letter queue', told);
    item.outcome = { outcome: 'refused', code: reason.code };
  } catch (error) {
    logger.error('A stored event can never be emitted, and the dead-letter queue did not take it', {
      ...told,
      error: error as Error,
    });
    item.outcome = { outcome: 'failed', code: reason.code };
  }
}

/** Splits a batch so that no wave holds two events of one partition: one call may accept the later and not the earlier. */
function waves(items: readonly Item[]): Item[][] {
  const seen = new Map<string, number>();
  const result: Item[][] = [];
  for (const item of items) {
    if (!item.event || item.outcome) continue;
    const wave = seen.get(item.place.pk) ?? 0;
    seen.set(item.place.pk, wave + 1);
    result[wave] = [...(result[wave] ?? []), item];
  }
  return result;
}

/** Remembers which rows behind the first that is not done are done, and forgets those that do not come again. */
function remember(ahead: Map<string, Item['outcome']>, items: readonly Item[], first: Item | undefined): void {
  for (const item of items) {
    if (first && item.index > first.index && isDone(item)) ahead.set(idOf(item), item.outcome);
    else ahead.delete(idOf(item));
  }
  for (const id of ahead.keys()) {
    if (ahead.size <= MAX_AHEAD) break;
    ahead.delete(id);
  }
}

/** Of one record in all streams, however often it comes. */
function idOf({ record }: Item): string {
  return record.eventID ?? record.dynamodb?.SequenceNumber ?? '';
}

function count(items: readonly Item[]): void {
  const of = (outcome: RelayOutcome['outcome']) =>
    items.filter((item) => !item.isRepeated && item.outcome?.outcome === outcome).length;
  const [emitted, refused] = [of('emitted'), of('refused')];
  if (emitted > 0) metrics.addMetric('EventEmitted', MetricUnit.Count, emitted);
  if (refused > 0) metrics.addMetric('EventRefused', MetricUnit.Count, refused);
  if (emitted + refused > 0) publishMetrics();
}

/** @throws ConfigurationError when MILLRACE_EVENT_BUS is not set: the plugin sets it for a function with `emits`. */
function emitterFromEnvironment(): EventEmitter {
  const busName = variableFrom('MILLRACE_EVENT_BUS', 'the name of the event bus; list the events under `emits`');
  return new EventBridgeEmitter({ client: eventBridge(), busName });
}
