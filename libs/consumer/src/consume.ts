import middy, { type MiddlewareObj } from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { type Sqs, sqs as sqsClient } from '@millrace/aws';
import { ConfigurationError } from '@millrace/errors';
import type { EventOf, ReadableContract } from '@millrace/events';
import { withTimeLimit } from '@millrace/retry';
import { logger } from '@millrace/telemetry';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { EventRecord, RecordContext } from './delivery.ts';
import type { EffectMarks } from './effect-marks.ts';
import { LetterBox } from './letter-box.ts';
import { Pipeline, type Strategy } from './pipeline.ts';
import { type ConsumerSettings, settingsFrom } from './settings.ts';

/** A middy middleware around a whole batch: its event, and the answer that names the failed records. */
export type ConsumerMiddleware = MiddlewareObj<SQSEvent, SQSBatchResponse>;

/** How a consumer handles what it receives. */
export interface BatchConsumeOptions {
  /**
   * How the handler makes its effect happen once. `inbox` (default): it writes `context.inbox` in the transaction of its
   * effect. `idempotencyMarks()` of @millrace/consumer/idempotency, for effects outside DynamoDB: it runs each of them in
   * `context.once`. These marks expire, so an event past the deduplication window is a dead letter. `permanent`: the handler recognises what it has handled by data
   * of its own, which never expires, however old the event.
   */
  deduplication?: 'inbox' | 'permanent' | EffectMarks;
  /** How long before the function's timeout it answers with what is done, in ms. */
  reserveMs?: number;
  /**
   * Runs around each batch, the first one outermost. What `before` throws fails all records, which come again. Throw
   * instead of answering early: only the consumer knows which records may be acknowledged.
   * @example consume([OrderPlaced], handle, { middleware: [{ before: () => settings.refresh() }] });
   */
  middleware?: readonly ConsumerMiddleware[];
}

export interface ConsumeOptions extends BatchConsumeOptions {
  /** Records of a batch at work at once. */
  concurrency?: number;
}

/** The Lambda handler of a consumer. It says which events it handles, so that they can be compared with its template. */
export interface ConsumerHandler<Contracts extends readonly ReadableContract[] = readonly ReadableContract[]> {
  (event: SQSEvent, context: Context): Promise<SQSBatchResponse>;
  readonly contracts: Contracts;
}

/** Side effects, for tests to replace. */
export interface ConsumeDependencies {
  sqs?: Sqs;
  settings?: ConsumerSettings;
  now?: () => Date;
  random?: () => number;
}

/**
 * The Lambda handler of a queue's consumer: parses and validates each record, de-duplicates it by its event id, runs
 * `handle`, and reports every record that cannot be proved successful as failed.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 *
 * A `PermanentError` (malformed and invalid messages raise one) goes to the dead-letter queue at once with its reason. An
 * error by which a dependency is unavailable, see `isUnavailable`, defers the record. Anything else is retried with growing
 * delays, and goes to the dead-letter queue with its reason at the last attempt.
 *
 * An event of a replay is acknowledged like a duplicate, unless MILLRACE_REPLAYS says otherwise, see `ReplayMode`. An event
 * past the deduplication window is a dead letter (`EVENT_TOO_OLD`), whichever way it came, see `deduplication`.
 *
 * @param contracts the events this consumer handles; any other event is a permanent failure. An event of a version that one
 *   of them upcasts comes as that one, unless the older contract is among them too.
 * @param handle one event; to throw is to fail. It may run again for the same event, see `deduplication`.
 * @returns the handler, with the contracts: packaging compares them with `consume: { events }` in serverless.yml
 * @throws ConfigurationError when a setting is missing or cannot work
 * @example
 * export const handler = consume([PaymentProcessed], (event, { cause, inbox }) => shipments.ship(event.data, cause, inbox));
 */
export function consume<const Contracts extends readonly ReadableContract[]>(
  contracts: Contracts,
  handle: (event: EventOf<Contracts[number]>, context: RecordContext) => Promise<void>,
  { concurrency = 10, ...options }: ConsumeOptions = {},
  dependencies: ConsumeDependencies = {},
): ConsumerHandler<Contracts> {
  if (!(concurrency >= 1)) throw new ConfigurationError('concurrency', 'at least 1');
  const each = () => (record: EventRecord<EventOf<Contracts[number]>>) => handle(record.event, record.context);
  return consumer(contracts, { prepare: each, concurrency }, options, dependencies);
}

/**
 * As `consume`, for a handler that takes all events of a batch at once: to change an item that many events change, such as
 * the stock of a popular SKU, once for all of them. Records that are malformed, or that a replay brings, do not reach it.
 *
 * @param handle the events of a batch, in the order of the queue; the same event may come twice in it. It answers with as
 *   many outcomes, in the same order: undefined for an event that is handled, or the error it failed with, which means what
 *   it means when it is thrown in `consume`. To throw is to fail all of them. See `settleTogether` of @millrace/event-store.
 * @returns as `consume`
 * @throws ConfigurationError as `consume`, and for a FIFO queue, whose groups stop at their first failure
 * @example
 * export const handler = consumeBatch([OrderPlaced], (records) => warehouse.reserve(records));
 */
export function consumeBatch<const Contracts extends readonly ReadableContract[]>(
  contracts: Contracts,
  handle: (records: readonly EventRecord<EventOf<Contracts[number]>>[]) => Promise<readonly (Error | undefined)[]>,
  options: BatchConsumeOptions = {},
  dependencies: ConsumeDependencies = {},
): ConsumerHandler<Contracts> {
  const settings = dependencies.settings ?? settingsFrom();
  if (settings.queueUrl.endsWith('.fifo')) {
    throw new ConfigurationError(
      'MILLRACE_CONSUMER_QUEUE_URL',
      'a standard queue: consumeBatch cannot stop a message group',
    );
  }
  const together = (records: readonly EventRecord<EventOf<Contracts[number]>>[]) => {
    const outcomes = onFirstCall(async () => {
      const errors = await handle(records);
      if (errors.length === records.length) return errors;
      throw new TypeError(`The handler answered ${errors.length} outcomes for ${records.length} records`);
    });
    return async (record: EventRecord<EventOf<Contracts[number]>>) => {
      const error = (await outcomes())[records.indexOf(record)];
      if (error) throw error;
    };
  };
  return consumer(contracts, { prepare: together, concurrency: Number.POSITIVE_INFINITY }, options, {
    ...dependencies,
    settings,
  });
}

/** What `consume` and `consumeBatch` have in common: everything but the order in which the handler gets the events. */
function consumer<const Contracts extends readonly ReadableContract[]>(
  contracts: Contracts,
  strategy: Strategy<EventOf<Contracts[number]>>,
  { deduplication = 'inbox', reserveMs = 500, middleware = [] }: BatchConsumeOptions,
  dependencies: ConsumeDependencies,
): ConsumerHandler<Contracts> {
  const settings = dependencies.settings ?? settingsFrom();
  const sqs = dependencies.sqs ?? sqsClient();
  const now = dependencies.now ?? (() => new Date());
  const random = dependencies.random ?? Math.random;
  const marks = typeof deduplication === 'string' ? undefined : deduplication;
  const marksExpire = deduplication !== 'permanent';
  const pipeline = new Pipeline(contracts, strategy, {
    sqs,
    letterBox: new LetterBox(sqs, settings.deadLetterQueueUrl),
    settings,
    now,
    random,
    runOnce: marks?.runOnce,
    recordHandled: marks?.recordHandled,
    marksExpire,
  });

  // The answer of each invocation. A middleware cannot change it: only the consumer knows which records are settled.
  const answers = new WeakMap<Context, SQSBatchResponse>();
  const handler = middy<SQSEvent, PromiseSettledResult<void>[] | SQSBatchResponse>()
    .use([...middleware] as MiddlewareObj[])
    .use({
      after: ({ context, response }) => {
        answers.set(context, response as SQSBatchResponse);
      },
      onError: (request) => {
        logger.error('The batch or a middleware failed', { error: request.error });
        request.response = answers.get(request.context) ?? request.response;
        answers.set(request.context, request.response as SQSBatchResponse);
      },
    })
    .use(sqsPartialBatchFailure({ logger: false as never }))
    .handler((event: SQSEvent, context: Context) => {
      const remainingMs = () => context.getRemainingTimeInMillis() - reserveMs;
      return withTimeLimit(remainingMs, () => pipeline.handle(event.Records, context, remainingMs));
    });

  return Object.assign(
    async (event: SQSEvent, context: Context) => {
      if (!Array.isArray(event?.Records)) throw new TypeError('Expected an SQS event with Records');
      await handler(event, context);
      const answer = answers.get(context);
      if (!answer) throw new TypeError('A middleware has answered in place of the consumer: throw instead');
      return answer;
    },
    { contracts },
  );
}

/** Runs `make` at the first call, and gives its result to every call. */
function onFirstCall<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let value: Promise<Value> | undefined;
  return () => {
    value ??= make();
    return value;
  };
}
