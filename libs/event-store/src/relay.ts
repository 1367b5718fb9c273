import { eventBridge } from '@millrace/aws';
import { variableFrom } from '@millrace/errors';
import {
  EmitFailedError,
  type EmittableEvent,
  EventBridgeEmitter,
  type EventContract,
  type EventEmitter,
} from '@millrace/events';
import { beforeTimeLimit, withinInvocation } from '@millrace/retry';
import { logger, MetricUnit, metrics, publishMetrics } from '@millrace/telemetry';
import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { isUnreadable, type OutboxRow, outboxRowOf, readOutboxRow } from './outbox-row.ts';
import type { PayloadStore } from './payload-store.ts';
import { type PseudonymSource, pseudonymsFromEnvironment } from './pseudonyms.ts';
import { deadLettersFromEnvironment, type RefusedRow, type RelayDeadLetters } from './relay-dead-letters.ts';
import { Variants } from './variants.ts';

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
 * What became of one record. `emitted`: it is on the bus, and so is its analytics variant if it has one. `refused`: it is in the relay's
 * dead-letter queue, because a bus will never take it: the event, or (`ANALYTICS_VARIANT_REFUSED`) only its variant. `failed`: it has to
 * be tried again.
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
  /** The event is on the domain bus. Its variant may still be missing. */
  isPublished?: boolean;
  /** It was done in an earlier try of the batch. */
  isRepeated?: boolean;
}

/** What an earlier try of a batch came to for a record. */
interface Remembered {
  outcome: Item['outcome'] | undefined;
  isPublished: boolean;
}

/** What a relay depends on, for tests to replace. Each is read from the environment unless given. */
export interface RelayDependencies {
  /** The domain bus; MILLRACE_EVENT_BUS */
  bus?: EventEmitter;
  /** The analytics bus; MILLRACE_ANALYTICS_BUS. Without one, and with a `bus` of one's own, there are no variants. */
  analyticsBus?: EventEmitter;
  /** What makes the pseudonyms of persons' ids, when a contract declares some; with the key MILLRACE_PSEUDONYM_KEY_ARN */
  pseudonyms?: PseudonymSource;
  /** That of the event store, when it has one: a stored event may be a reference into it. */
  payloads?: PayloadStore;
  /** The queue MILLRACE_RELAY_DLQ_URL; with a `bus` of one's own none, and what is refused is tried again. */
  deadLetters?: RelayDeadLetters;
}

type RemainingTime = Pick<Context, 'getRemainingTimeInMillis'>;

/** The Lambda handler of a relay. It says which contracts it knows, so that they can be compared with its template. */
export interface RelayHandler {
  /** @param context of the invocation; without it there is no time limit */
  (event: RelayRequest, context?: RemainingTime): Promise<RelayResponse>;
  readonly emits: readonly EventContract[];
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
 * After the events of a batch it puts their analytics variants on the analytics bus, and a record counts as done when both are there.
 * A crash between the two repeats both, with the same ids. A variant that can never be put goes to the dead-letter queue, and does not
 * hold back its event or any other.
 *
 * When a bus, KMS or the dead-letter queue does not answer, it stops waiting before the function times out. A function that has timed out
 * has forgotten which events are on the bus, and would emit all of them again with each try.
 *
 * @param contracts of all events it emits: the `emits` of its function
 * @throws Error at once when a variable is needed and not set
 * @example
 * export const handler = relay([OrderPlaced, OrderConfirmed, OrderCancelled]);
 */
export function relay(contracts: readonly EventContract[], dependencies: RelayDependencies = {}): RelayHandler {
  const bus = dependencies.bus ?? emitterOf('MILLRACE_EVENT_BUS', 'the name of the event bus');
  const letters = dependencies.deadLetters ?? (dependencies.bus ? undefined : deadLettersFromEnvironment());
  const variants = variantsOf(contracts, dependencies);
  const ahead = new Map<string, Remembered>();

  const run = async ({ Records, report }: RelayRequest): Promise<RelayResponse> => {
    const items = Records.flatMap((record, index): Item[] => {
      const row = outboxRowOf(record);
      return row ? [{ ...row, index }] : [];
    });
    for (const item of items) {
      const known = ahead.get(idOf(item));
      if (!known) continue;
      item.isPublished = known.isPublished;
      if (known.outcome) Object.assign(item, { outcome: known.outcome, isRepeated: true });
    }
    await readEvents(items, dependencies.payloads, letters);
    for (const wave of waves(items)) {
      // The next wave holds later events of the same partitions, which must not overtake one that is still to come.
      if (!(await emitWave(wave, bus, letters))) break;
    }
    await emitVariants(items, variants, letters);

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
  const handler = (request: RelayRequest, context?: RemainingTime) =>
    context ? withinInvocation(context, () => run(request)) : run(request);
  return Object.assign(handler, { emits: contracts });
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
    await beforeTimeLimit(() => emitter.emit(events));
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
      item.isPublished = true;
    }
  }
  await Promise.all(burials);
  return answered;
}

/** Puts the variants of all events that are on the domain bus on that of analytics. A row whose variant is not there yet is not done. */
async function emitVariants(
  items: readonly Item[],
  variants: Variants | undefined,
  deadLetters: RelayDeadLetters | undefined,
): Promise<void> {
  const published = items.filter(({ isPublished, isRepeated }) => isPublished && !isRepeated);
  const failures = await variants?.emit(published.flatMap(({ event }) => event ?? []));
  await Promise.all(
    published.map(async (item) => {
      if (!item.event) return; // not to be read at the moment
      const failure = failures?.get(item.event);
      if (!failure) item.outcome = { outcome: 'emitted' };
      else if (failure.isPermanent) await bury(item, failure, deadLetters);
      else item.outcome = { outcome: 'failed', code: failure.code };
    }),
  );
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
    await beforeTimeLimit(() => deadLetters.send({ record, place, ...(event && { event }), ...reason }));
    logger.error('A stored event, or its variant, can never be emitted and goes to the dead-letter queue', told);
    item.outcome = { outcome: 'refused', code: reason.code };
  } catch (error) {
    logger.error('A stored event, or its variant, can never be emitted, and the dead-letter queue did not take it', {
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
    if (!item.event || item.outcome || item.isPublished) continue;
    const wave = seen.get(item.place.pk) ?? 0;
    seen.set(item.place.pk, wave + 1);
    result[wave] = [...(result[wave] ?? []), item];
  }
  return result;
}

/** Remembers what of the rows from the first on that is not done is done, and forgets those that do not come again. */
function remember(ahead: Map<string, Remembered>, items: readonly Item[], first: Item | undefined): void {
  for (const item of items) {
    const { outcome, isPublished = false } = item;
    const comesAgain = first && item.index >= first.index;
    if (comesAgain && isDone(item)) ahead.set(idOf(item), { outcome, isPublished });
    else if (comesAgain && isPublished) ahead.set(idOf(item), { outcome: undefined, isPublished });
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

/** @throws ConfigurationError when the variable is not set: the plugin sets it for a function with `emits` */
function emitterOf(variable: string, expectation: string): EventEmitter {
  const busName = variableFrom(variable, `${expectation}; list the events under \`emits\``);
  return new EventBridgeEmitter({ client: eventBridge(), busName });
}

/** The variants of some contracts; undefined when they have none. */
function variantsOf(
  contracts: readonly EventContract[],
  { bus, analyticsBus, pseudonyms }: RelayDependencies,
): Variants | undefined {
  if (!contracts.some(({ analytics }) => analytics) || (bus && !analyticsBus)) return undefined;
  return new Variants(
    contracts,
    analyticsBus ?? emitterOf('MILLRACE_ANALYTICS_BUS', 'the name of the analytics bus'),
    contracts.some(({ analytics }) => analytics?.pseudonyms.length)
      ? (pseudonyms ?? pseudonymsFromEnvironment())
      : undefined,
  );
}
