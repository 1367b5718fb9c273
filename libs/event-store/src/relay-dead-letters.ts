import { SendMessageCommand, type Sqs, sqs } from '@millrace/aws';
import { failureAttributes, messageAttributes, relayDeadLetterOf } from '@millrace/dead-letters';
import { variableFrom } from '@millrace/errors';
import type { EmittableEvent } from '@millrace/events';
import { shownIdentifier } from '@millrace/privacy';
import type { OutboxRow } from './outbox-row.ts';

/** A row that the bus will never take, and why. */
export interface RefusedRow extends Pick<OutboxRow, 'record' | 'place'> {
  /** Absent when the row cannot be read. */
  event?: EmittableEvent;
  /** Stable code, e.g. `NotAuthorizedForSourceException` or `PAYLOAD_MISSING`. */
  code: string;
  message: string;
}

/** Where a relay puts rows that the bus will never take. */
export interface RelayDeadLetters {
  /** Resolves when the letter is stored: only then may the row count as done. */
  send(row: RefusedRow): Promise<void>;
}

/** Dead letters in a queue, with the attributes that consumers give theirs. */
export class SqsRelayDeadLetters implements RelayDeadLetters {
  readonly #sqs: Sqs;
  readonly #queueUrl: string;
  readonly #consumer: string;
  readonly #now: () => Date;

  /** @param consumer who gave the row up, e.g. `orders.relay` */
  constructor(
    client: Sqs,
    { queueUrl, consumer, now = () => new Date() }: { queueUrl: string; consumer: string; now?: () => Date },
  ) {
    this.#sqs = client;
    this.#queueUrl = queueUrl;
    this.#consumer = consumer;
    this.#now = now;
  }

  async send({ record, place, event, code, message }: RefusedRow): Promise<void> {
    const now = this.#now();
    const body = relayDeadLetterOf({ event, place, eventId: record.eventID, sourceArn: record.eventSourceARN });
    const reason = failureAttributes(
      {
        code,
        message,
        kind: 'permanent',
        consumer: this.#consumer,
        functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
        attempts: 1,
        firstFailedAt: now,
        lastFailedAt: now,
        correlationId: event && correlationIdOf(event),
      },
      body,
    );
    await this.#sqs.send(
      new SendMessageCommand({
        QueueUrl: this.#queueUrl,
        MessageBody: body,
        MessageAttributes: messageAttributes(reason, body),
      }),
    );
  }
}

/** The event may be anything: it was refused. */
function correlationIdOf({ detail }: EmittableEvent): string | undefined {
  try {
    const { correlationId } = JSON.parse(detail).metadata;
    return correlationId === undefined ? undefined : shownIdentifier(correlationId);
  } catch {
    return undefined;
  }
}

/** @throws ConfigurationError when a variable is not set: serverless.outbox.yml has them, under relayEnvironment */
export function deadLettersFromEnvironment(): RelayDeadLetters {
  const queueUrl = variableFrom(
    'MILLRACE_RELAY_DLQ_URL',
    "the URL of the relay's dead-letter queue; set `environment` of the relay to relayEnvironment of serverless.outbox.yml",
  );
  const { POWERTOOLS_SERVICE_NAME: service = '' } = process.env;
  const consumer = `${service.replace(/^millrace-/, '')}.relay`;
  return new SqsRelayDeadLetters(sqs(), { queueUrl, consumer });
}
