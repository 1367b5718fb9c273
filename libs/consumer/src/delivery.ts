import { PermanentError } from '@millrace/errors';
import {
  type Cause,
  contractFor,
  type Event,
  type EventEnvelope,
  type EventOf,
  type InboxKey,
  isPastDeduplicationWindow,
  parseEnvelope,
  type ReadableContract,
  UnexpectedEventError,
} from '@millrace/events';
import { shownIdentifier } from '@millrace/privacy';
import { eventLogger, type Logger, logger, nextTraceparent } from '@millrace/telemetry';
import type { Context, SQSRecord } from 'aws-lambda';
import type { RunOnce } from './effect-marks.ts';
import { attemptsOf } from './history.ts';
import type { ConsumerSettings } from './settings.ts';

/** The event is past the deduplication window: the marks that tell whether it was handled may have expired. */
export class EventTooOldError extends PermanentError {
  constructor() {
    super('EVENT_TOO_OLD', 'The event is more than 29 days old: whether it was handled may have been forgotten');
  }
}

/** What a handler gets beside the event. */
export interface RecordContext {
  /** Logs with the event's identity on every line. */
  logger: Logger;
  inbox: InboxKey;
  cause: Cause;
  /** 1 for the first delivery. A delivery that ended with a deferral does not count. */
  attempt: number;
  /** Name of the replay the event belongs to, when it was not emitted just now. */
  replay?: string;
  /**
   * Runs an effect outside DynamoDB (a mail, a provider call) once for this event: when the event comes again, what
   * succeeded is left out, and in a rebuild all of them are. Only with `deduplication: idempotencyMarks()`.
   * @param step names the effect within the event, e.g. `email`; it must never change.
   * @throws what the effect throws; UnavailableError while another delivery runs it; Error without the idempotency table.
   */
  once: (step: string, effect: () => Promise<void>) => Promise<void>;
}

/** An event as a handler gets it. */
export interface EventRecord<Received extends Event = Event> {
  event: Received;
  context: RecordContext;
}

/** A record of a batch, and what is to be done with it. */
export interface Delivery<Received extends Event = Event> {
  record: SQSRecord;
  log: () => Logger;
  correlationId?: string;
  content:
    | ({ type: 'event' } & EventRecord<Received>)
    /** An event of a replay, which this consumer does not handle. */
    | { type: 'ignored' }
    /** It cannot be handled. */
    | { type: 'refused'; error: unknown };
}

/** What an admission depends on. */
export interface AdmissionDependencies {
  settings: ConsumerSettings;
  runOnce: RunOnce | undefined;
  /** Whether the marks of what was handled expire. */
  marksExpire: boolean;
  now: () => Date;
}

/**
 * Reads a record: parses and validates its event, and applies the rules for replays. Does not throw: what is wrong with
 * the record is its content.
 */
export function admit<const Contracts extends readonly ReadableContract[]>(
  record: SQSRecord,
  contracts: Contracts,
  lambdaContext: Context,
  dependencies: AdmissionDependencies,
): Delivery<EventOf<Contracts[number]>> {
  const { settings, runOnce, marksExpire, now } = dependencies;
  const delivery: Delivery<EventOf<Contracts[number]>> = { record, log: () => logger, content: { type: 'ignored' } };
  try {
    const envelope = parseEnvelope(record.body);
    const replay = envelope['replay-name'];
    if (replay !== undefined && settings.replays === 'ignore') return delivery;
    const event = parse(envelope, contracts);
    const { metadata } = event;
    delivery.log = onFirstUse(() => {
      const child = eventLogger(logger, metadata);
      child.appendKeys({
        ...(replay !== undefined && { replay: shownIdentifier(replay) }),
        reemission: reemissionOf(record),
      });
      return child;
    });
    delivery.correlationId = metadata.correlationId;
    const rebuilding = replay !== undefined && settings.replays === 'rebuild';
    // Checked here because every way back leads here: redrive, the SQS console, a replay, a message sent by hand.
    if (marksExpire && !rebuilding && isPastDeduplicationWindow(metadata.timestamp, now()))
      throw new EventTooOldError();
    // A rebuild handles everything once more, but each event once.
    const consumer = rebuilding ? `${settings.consumer}#${replay}` : settings.consumer;
    const inbox = { consumer, eventId: metadata.id };
    const traceparent = nextTraceparent(metadata.traceparent);
    const { log } = delivery;
    const context: RecordContext = {
      get logger() {
        return log();
      },
      inbox,
      cause: { correlationId: metadata.correlationId, causationId: metadata.id, traceparent },
      attempt: attemptsOf(record),
      ...(replay !== undefined && { replay }),
      async once(step, effect) {
        if (!runOnce) throw new Error('once() needs { deduplication: idempotencyMarks() }');
        if (rebuilding) return;
        await runOnce(`${inbox.consumer}#${inbox.eventId}#${step}`, lambdaContext, effect);
      },
    };
    return { ...delivery, content: { type: 'event', event, context } };
  } catch (error) {
    return { ...delivery, content: { type: 'refused', error } };
  }
}

function parse<const Contracts extends readonly ReadableContract[]>(
  envelope: EventEnvelope,
  contracts: Contracts,
): EventOf<Contracts[number]> & Event {
  const contract = contractFor(contracts, envelope['detail-type']);
  if (contract) return contract.parse(envelope) as EventOf<Contracts[number]> & Event;
  const expected = new Set(contracts.flatMap(({ accepts }) => accepts));
  throw new UnexpectedEventError(envelope.source, envelope['detail-type'], [...expected]);
}

/** How often the event had been put back on the bus when this message was made: the re-emitter's mark. */
function reemissionOf({ attributes }: SQSRecord): string | undefined {
  return /;Reemission=(\d+)/.exec(attributes.AWSTraceHeader ?? '')?.[1];
}

/** Creating a child logger is expensive and most records log nothing. */
function onFirstUse<Value>(make: () => Value): () => Value {
  let value: Value | undefined;
  return () => {
    value ??= make();
    return value;
  };
}
