import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { DuplicateEventError, PermanentError } from '@millrace/errors';
import {
  contractFor,
  type EventContract,
  type EventEnvelope,
  type EventOf,
  isPastDeduplicationWindow,
  type Metadata,
  parseEnvelope,
  shownIdentifier,
  UnexpectedEventError,
} from '@millrace/events';
import {
  eventLogger,
  type Logger,
  logger,
  MetricUnit,
  metrics,
  nextTraceparent,
  publishMetrics,
} from '@millrace/telemetry';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { NotHandledError, settleBatch } from './batch.ts';
import { attemptsOf, codeOf, delayRetry, failureKindOf, release, sendToDeadLetterQueue } from './failed-record.ts';
import { type RunOnce, runOnceByIdempotencyTable } from './idempotency.ts';
import { ConfigurationError, type ConsumerSettings, settingsFrom } from './settings.ts';

/** The event is past the deduplication window: the marks that tell whether it was handled may have expired. */
export class EventTooOldError extends PermanentError {
  constructor() {
    super('EVENT_TOO_OLD', 'The event is more than 29 days old: whether it was handled may have been forgotten');
  }
}

/** Identifies one effect: what a handler stores in the same transaction as its effect. */
export interface InboxKey {
  consumer: string;
  eventId: string;
}

/** What an event that is made while handling another one inherits from it. */
export interface Cause {
  correlationId: string;
  causationId: string;
  traceparent: string;
}

/** What a handler gets beside the event. */
export interface RecordContext {
  /** Logs with the event's identity on every line. */
  logger: Logger;
  inbox: InboxKey;
  cause: Cause;
  /** 1 for the first delivery. */
  attempt: number;
  /** Name of the replay the event belongs to, when it was not emitted just now. */
  replay?: string;
  /**
   * Runs an effect outside DynamoDB (a mail, a provider call) once for this event: when the event comes again, what
   * succeeded is left out, and in a rebuild all of them are. Only with `deduplication: 'idempotency'`.
   * @param step names the effect within the event, e.g. `email`; it must never change.
   * @throws what the effect throws; TransientError while another delivery runs it; Error without the idempotency table.
   */
  once: (step: string, effect: () => Promise<void>) => Promise<void>;
}

export interface ConsumeOptions {
  /**
   * How the handler makes its effect happen once. `inbox` (default): it writes `context.inbox` in the transaction of its
   * effect. `idempotency`, for effects outside DynamoDB: it runs each of them in `context.once`. These marks expire, so an
   * event past the deduplication window is a dead letter. `permanent`: the handler recognises what it has handled by data
   * of its own, which never expires, however old the event.
   */
  deduplication?: 'inbox' | 'idempotency' | 'permanent';
  /** Records of a batch at work at once. */
  concurrency?: number;
  /** How long before the function's timeout it answers with what is done, in ms. */
  reserveMs?: number;
}

/** The Lambda handler of a consumer. It says which events it handles, so that they can be compared with its template. */
export interface ConsumerHandler<Contracts extends readonly EventContract[] = readonly EventContract[]> {
  (event: SQSEvent, context: Context): Promise<SQSBatchResponse>;
  readonly contracts: Contracts;
}

/** Side effects, for tests to replace. */
export interface ConsumeDependencies {
  sqs?: Pick<SQSClient, 'send'>;
  settings?: ConsumerSettings;
  runOnce?: RunOnce;
  now?: () => Date;
  random?: () => number;
}

/**
 * The Lambda handler of a queue's consumer: parses and validates each record, de-duplicates it by its event id, runs
 * `handle`, and reports every record that cannot be proved successful as failed.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 *
 * A `PermanentError` (malformed and invalid messages raise one) goes to the dead-letter queue at once with its reason;
 * anything else is retried with growing delays, and goes there with its reason at the last attempt.
 *
 * An event of a replay is acknowledged like a duplicate, unless MILLRACE_REPLAYS says otherwise, see `ReplayMode`. An event
 * past the deduplication window is a dead letter (`EVENT_TOO_OLD`), whichever way it came, see `deduplication`.
 *
 * @param contracts the events this consumer handles; any other event is a permanent failure. An event of a version that one
 *   of them upcasts comes as that one, unless the older contract is among them too.
 * @param handle one event; to throw is to fail. It may run again for the same event, see `deduplication`.
 * @returns the handler, with the contracts: packaging compares them with `consume: { events }` in serverless.yml
 */
export function consume<const Contracts extends readonly EventContract[]>(
  contracts: Contracts,
  handle: (event: EventOf<Contracts[number]>, context: RecordContext) => Promise<void>,
  { deduplication = 'inbox', concurrency = 10, reserveMs = 500 }: ConsumeOptions = {},
  dependencies: ConsumeDependencies = {},
): ConsumerHandler<Contracts> {
  if (!(concurrency >= 1)) throw new ConfigurationError('concurrency', 'at least 1');
  const settings = dependencies.settings ?? settingsFrom();
  const sqs = dependencies.sqs ?? new SQSClient({});
  const now = dependencies.now ?? (() => new Date());
  const random = dependencies.random ?? Math.random;
  const marksExpire = deduplication !== 'permanent';
  const runOnce = deduplication === 'idempotency' ? (dependencies.runOnce ?? runOnceByIdempotencyTable()) : undefined;

  function parse(envelope: EventEnvelope) {
    const contract = contractFor(contracts, envelope['detail-type']);
    if (contract) return contract.parse(envelope) as EventOf<Contracts[number]> & { metadata: Metadata };
    const expected = new Set(contracts.flatMap(({ accepts }) => accepts));
    throw new UnexpectedEventError(envelope.source, envelope['detail-type'], [...expected]);
  }

  async function handleRecord(record: SQSRecord, lambdaContext: Context): Promise<Outcome> {
    let log = () => logger;
    let correlationId: string | undefined;
    try {
      const envelope = parseEnvelope(record.body);
      const replay = envelope['replay-name'];
      if (replay !== undefined && settings.replays === 'ignore') {
        return 'EventReplayIgnored';
      }
      const event = parse(envelope);
      const { metadata } = event;
      log = onFirstUse(() => {
        const child = eventLogger(logger, metadata);
        child.appendKeys({
          ...(replay !== undefined && { replay: shownIdentifier(replay) }),
          reemission: reemissionOf(record),
        });
        return child;
      });
      correlationId = metadata.correlationId;
      const rebuilding = replay !== undefined && settings.replays === 'rebuild';
      // Checked here because every way back leads here: redrive, the SQS console, a replay, a message sent by hand.
      if (marksExpire && !rebuilding && isPastDeduplicationWindow(metadata.timestamp, now())) {
        throw new EventTooOldError();
      }
      // A rebuild handles everything once more, but each event once.
      const consumer = rebuilding ? `${settings.consumer}#${replay}` : settings.consumer;
      const inbox = { consumer, eventId: metadata.id };
      const traceparent = nextTraceparent(metadata.traceparent);
      const cause = { correlationId, causationId: metadata.id, traceparent };
      const once: RecordContext['once'] = async (step, effect) => {
        if (!runOnce) throw new Error("once() needs { deduplication: 'idempotency' }");
        if (rebuilding) return;
        await runOnce(`${inbox.consumer}#${inbox.eventId}#${step}`, lambdaContext, effect);
      };
      await handle(event, {
        get logger() {
          return log();
        },
        inbox,
        cause,
        attempt: attemptsOf(record),
        ...(replay !== undefined && { replay }),
        once,
      });
      return 'EventHandled';
    } catch (error) {
      if (error instanceof DuplicateEventError) {
        log().info('Duplicate event acknowledged');
        return 'EventDuplicate';
      }
      await handleFailure(record, error, log(), correlationId);
      return undefined;
    }
  }

  /** Resolves when the record may be acknowledged, because its copy stands in the dead-letter queue. */
  async function handleFailure(record: SQSRecord, error: unknown, log: Logger, correlationId?: string): Promise<void> {
    const details = { error_code: codeOf(error), attempt: attemptsOf(record), message_id: record.messageId };
    const kind = failureKindOf(error, record, settings);
    metrics.addMetric('EventFailed', MetricUnit.Count, 1);
    if (kind) {
      log.error('Event goes to the dead-letter queue', { ...details, failure_kind: kind, error: error as Error });
      await sendToDeadLetterQueue(sqs, record, { kind, error, correlationId, now: now() }, settings);
      return;
    }
    log.warn('Event failed and will be retried', { ...details, error: error as Error });
    await delayRetry(sqs, record, settings, random).catch((failure: Error) => {
      // Without it the record comes back after the queue's visibility timeout: later, but it comes back.
      log.warn('The retry delay could not be set', { error: failure });
    });
    throw error;
  }

  /** What a record that was not handled still needs: the reason at its last attempt, or an end of its invisibility. */
  async function handleUnhandled(record: SQSRecord, { reason }: PromiseRejectedResult): Promise<void> {
    if (!(reason instanceof NotHandledError)) throw reason;
    if (reason.code === 'TIME_UP' && failureKindOf(reason, record, settings)) {
      return handleFailure(record, reason, logger);
    }
    if (reason.code === 'GROUP_STOPPED') await release(sqs, record, settings).catch(() => undefined);
    throw reason;
  }

  const handler = middy<SQSEvent, PromiseSettledResult<void>[] | SQSBatchResponse>()
    .use(sqsPartialBatchFailure({ logger: false as never }))
    .handler(async (event: SQSEvent, context: Context) => {
      const results = await settleBatch(event.Records, (record) => handleRecord(record, context), {
        concurrency,
        remainingMs: () => context.getRemainingTimeInMillis() - reserveMs,
      });
      const settled = await Promise.allSettled(
        results.map((result, index) => {
          const record = event.Records[index];
          return result.status === 'fulfilled' || !record ? undefined : handleUnhandled(record, result);
        }),
      );
      // Not when its handler ends: what was given up before will come again, and count then.
      for (const result of results) {
        if (result.status === 'fulfilled' && result.value) metrics.addMetric(result.value, MetricUnit.Count, 1);
      }
      publishMetrics();
      return settled as PromiseSettledResult<void>[];
    });

  return Object.assign(
    async (event: SQSEvent, context: Context) => {
      if (!Array.isArray(event?.Records)) throw new TypeError('Expected an SQS event with Records');
      return (await handler(event, context)) as SQSBatchResponse;
    },
    { contracts },
  );
}

/** The metric of an acknowledged record; none for one whose copy stands in the dead-letter queue. */
type Outcome = 'EventHandled' | 'EventDuplicate' | 'EventReplayIgnored' | undefined;

/** How often the event had been put back on the bus when this message was made: the re-emitter's mark. */
function reemissionOf({ attributes }: SQSRecord): string | undefined {
  return /;Reemission=(\d+)/.exec(attributes.AWSTraceHeader ?? '')?.[1];
}

/** Most records have nothing to say, and a logger of their own is dear. */
function onFirstUse<Value>(make: () => Value): () => Value {
  let value: Value | undefined;
  return () => {
    value ??= make();
    return value;
  };
}
