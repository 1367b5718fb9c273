import type { Message } from '@aws-sdk/client-sqs';
import { shownIdentifier } from '@millrace/privacy';
import { failedExecutionOf } from './execution-dead-letter.ts';
import { eventDigest } from './failure.ts';
import { isObject } from './json-object.ts';

/**
 * Who put a message into its dead-letter queue: the consumer that gave it up, SQS after the last receive, EventBridge
 * for a rule that could not deliver, Lambda for a batch of a stream, EventBridge for an execution of a state machine that
 * failed, or the re-emitter and operators for parking.
 */
export type Origin = 'consumer' | 'sqs' | 'rule' | 'stream' | 'execution' | 'parking';

/** Why a message is dead. */
export interface DeadLetterReason {
  code: string;
  message: string;
  kind: 'permanent' | 'exhausted' | 'undeliverable' | 'parked' | 'mended';
  /** `inventory.onOrderPlaced`, or the rule's name. */
  consumer?: string;
  attempts?: number;
  /** ISO 8601. */
  firstFailedAt?: string;
  /** ISO 8601. */
  lastFailedAt?: string;
  correlationId?: string;
}

/** What can be told of the event in a dead letter whose body is an EventBridge event. */
export interface DeadEvent {
  /** `metadata.id`: what consumers de-duplicate by. */
  id: string;
  source: string;
  detailType: string;
  /** ISO 8601. */
  time: string;
  /** `metadata.timestamp`, ISO 8601: what the deduplication window is counted from. Absent when it is not text. */
  timestamp?: string;
  correlationId?: string;
  /** Of a replayed event. */
  replayName?: string;
}

/** A message in a dead-letter queue. */
export interface DeadLetter {
  messageId: string;
  receiptHandle: string;
  body: string;
  /** The message's string attributes as they are stored. */
  attributes: Readonly<Record<string, string>>;
  origin: Origin;
  reason: DeadLetterReason;
  /** Absent when the body is no event. */
  event?: DeadEvent;
  /** When it was sent to this queue; when SQS itself moved it, when it was sent to the queue before. */
  sentAt: Date;
  /** How often it has been received from this queue, looks included. */
  receiveCount: number;
  messageGroupId?: string;
}

/** What has to be asked of ReceiveMessage so that `readDeadLetter` sees everything. */
export const receiveEverything = {
  MessageAttributeNames: ['All'],
  MessageSystemAttributeNames: ['All'],
} satisfies { MessageAttributeNames: string[]; MessageSystemAttributeNames: ['All'] };

/**
 * Reads a message received from a dead-letter queue. Never throws: whatever lies there can be looked at.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
 */
export function readDeadLetter(message: Message): DeadLetter {
  const { MessageId = '', ReceiptHandle = '', Body = '', Attributes = {}, MessageAttributes = {} } = message;
  const attributes = Object.fromEntries(
    Object.entries(MessageAttributes).flatMap(([name, { StringValue }]) =>
      StringValue === undefined ? [] : [[name, StringValue] as const],
    ),
  );
  const parsed = parse(Body);
  const event = readEvent(parsed);
  const receiveCount = Number(Attributes.ApproximateReceiveCount ?? 0);
  const { origin, reason } = explain(attributes, parsed, event);
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes,
    origin,
    reason,
    ...(event && { event }),
    sentAt: new Date(Number(Attributes.SentTimestamp ?? 0)),
    receiveCount,
    ...(Attributes.MessageGroupId !== undefined && { messageGroupId: Attributes.MessageGroupId }),
  };
}

/** Whether the body is another than the one its consumer gave up. A letter that carries no digest cannot be told. */
export function isEdited({ body, attributes }: Pick<DeadLetter, 'body' | 'attributes'>): boolean {
  return attributes.EventDigest !== undefined && attributes.EventDigest !== eventDigest(body);
}

function explain(
  attributes: Record<string, string>,
  body: Record<string, unknown> | undefined,
  event: DeadEvent | undefined,
): { origin: Origin; reason: DeadLetterReason } {
  const correlationId = attributes.CorrelationId ?? event?.correlationId;
  const common = {
    ...(attributes.Consumer !== undefined && { consumer: attributes.Consumer }),
    ...(attributes.Attempts !== undefined && { attempts: Number(attributes.Attempts) }),
    ...(attributes.FirstFailedAt !== undefined && { firstFailedAt: attributes.FirstFailedAt }),
    ...(attributes.LastFailedAt !== undefined && { lastFailedAt: attributes.LastFailedAt }),
    ...(correlationId !== undefined && { correlationId }),
  };
  const { ErrorCode, ErrorMessage = '', FailureKind, RULE_ARN } = attributes;
  if (attributes.ParkedFrom !== undefined) {
    const reason = { ...common, code: ErrorCode ?? 'PARKED', message: ErrorMessage, kind: 'parked' } as const;
    return { origin: 'parking', reason };
  }
  if (ErrorCode !== undefined) {
    const kind = FailureKind === 'permanent' || FailureKind === 'mended' ? FailureKind : 'exhausted';
    return { origin: 'consumer', reason: { ...common, code: ErrorCode, message: ErrorMessage, kind } };
  }
  if (RULE_ARN !== undefined) {
    const { ERROR_CODE = 'UNKNOWN', ERROR_MESSAGE = '', RETRY_ATTEMPTS, EXHAUSTED_RETRY_CONDITION } = attributes;
    const message = [ERROR_MESSAGE, EXHAUSTED_RETRY_CONDITION].filter(Boolean).join('; ');
    return {
      origin: 'rule',
      reason: {
        ...common,
        code: ERROR_CODE,
        message,
        kind: 'undeliverable',
        consumer: RULE_ARN.slice(RULE_ARN.lastIndexOf('/') + 1),
        // EventBridge counts retries; the first attempt is none.
        ...(RETRY_ATTEMPTS !== undefined && { attempts: Number(RETRY_ATTEMPTS) + 1 }),
      },
    };
  }
  const batch = body?.DDBStreamBatchInfo;
  if (typeof batch === 'object' && batch !== null) {
    const { startSequenceNumber, endSequenceNumber } = batch as Record<string, unknown>;
    const { condition = 'Unknown' } = (body?.requestContext ?? {}) as { condition?: unknown };
    const [first, last] = [shownIdentifier(startSequenceNumber), shownIdentifier(endSequenceNumber)];
    const message = `stream records ${first} to ${last} could not be handled`;
    return { origin: 'stream', reason: { ...common, code: String(condition), message, kind: 'exhausted' } };
  }
  const execution = failedExecutionOf(body);
  if (execution) {
    const { process, name, status } = execution;
    const message = `the execution ${shownIdentifier(name)} has stopped: npm run redrive resumes it at the state that failed`;
    const code = `EXECUTION_${shownIdentifier(status)}`;
    return {
      origin: 'execution',
      reason: { ...common, code, message, kind: 'exhausted', consumer: shownIdentifier(process) },
    };
  }
  return {
    origin: 'sqs',
    reason: {
      ...common,
      code: 'NO_ANSWER',
      message: 'SQS moved it here after its last receive: the function timed out or died, and its log says where',
      kind: 'exhausted',
    },
  };
}

function readEvent(envelope: Record<string, unknown> | undefined): DeadEvent | undefined {
  const { source, 'detail-type': detailType, time, detail, 'replay-name': replayName } = envelope ?? {};
  const { metadata } = (isObject(detail) ? detail : {}) as { metadata?: unknown };
  const { id, timestamp, correlationId } = (isObject(metadata) ? metadata : {}) as Record<string, unknown>;
  if (!isText(source) || !isText(detailType) || !isText(time) || !isText(id)) return undefined;
  return {
    id,
    source,
    detailType,
    time,
    ...(isText(timestamp) && { timestamp }),
    ...(isText(correlationId) && { correlationId }),
    ...(isText(replayName) && { replayName }),
  };
}

function parse(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
