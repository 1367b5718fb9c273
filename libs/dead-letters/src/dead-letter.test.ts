import { describe, expect, test } from '@jest/globals';
import { defineEvent } from '@millrace/events';
import { envelopeText, sampleEvent } from '@millrace/testing';
import * as z from 'zod';
import {
  eventDigest,
  failureAttributes,
  isEdited,
  messageAttributes,
  parkingAttributes,
  readDeadLetter,
  unparkedAttributes,
} from './index.ts';

const Knocked = defineEvent({
  name: 'Knocked',
  version: 1,
  service: 'door',
  category: 'domain',
  type: 'data',
  summary: 'Someone stands at the door.',
  data: z.object({ visitor: z.string() }),
  example: { visitor: 'ada' },
});
const body = envelopeText(sampleEvent(Knocked, {}, { id: 'event-1', correlationId: 'correlation-1' }));

/** A message as SQS hands it out. */
const received = (Body: string, texts: Record<string, string | undefined> = {}) =>
  readDeadLetter({
    MessageId: 'message-1',
    ReceiptHandle: 'handle-1',
    Body,
    Attributes: { SentTimestamp: String(Date.UTC(2026, 2, 1)), ApproximateReceiveCount: '2' },
    MessageAttributes: messageAttributes(texts, Body),
  });

const failure = failureAttributes(
  {
    code: 'UNWELCOME',
    message: 'Nobody is at home',
    kind: 'permanent',
    consumer: 'butler.onKnocked',
    functionName: 'millrace-butler-dev-onKnocked',
    attempts: 3,
    firstFailedAt: new Date('2026-03-01T10:00:00Z'),
    lastFailedAt: new Date('2026-03-01T10:05:00Z'),
    correlationId: 'correlation-1',
  },
  body,
);
const undelivered = {
  RULE_ARN: 'arn:aws:events:us-east-1:000000000000:rule/millrace-dev/millrace-butler-dev-on-knocked',
  TARGET_ARN: 'arn:aws:sqs:us-east-1:000000000000:millrace-butler-dev-on-knocked',
  ERROR_CODE: 'NO_RESOURCE',
  ERROR_MESSAGE: 'There is no queue',
  EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
  RETRY_ATTEMPTS: '185',
};

describe('a dead letter', () => {
  test('of a consumer tells why, who, how often and since when', () => {
    expect(received(body, failure)).toMatchObject({
      origin: 'consumer',
      reason: {
        code: 'UNWELCOME',
        message: 'Nobody is at home',
        kind: 'permanent',
        consumer: 'butler.onKnocked',
        attempts: 3,
        firstFailedAt: '2026-03-01T10:00:00.000Z',
        lastFailedAt: '2026-03-01T10:05:00.000Z',
        correlationId: 'correlation-1',
      },
      event: { id: 'event-1', source: 'millrace.door', detailType: 'Knocked.v1', correlationId: 'correlation-1' },
      sentAt: new Date('2026-03-01T00:00:00Z'),
      receiveCount: 2,
    });
  });

  test('of a rule tells what EventBridge said', () => {
    expect(received(body, undelivered)).toMatchObject({
      origin: 'rule',
      reason: {
        code: 'NO_RESOURCE',
        message: 'There is no queue; MaximumRetryAttempts',
        kind: 'undeliverable',
        consumer: 'millrace-butler-dev-on-knocked',
        attempts: 186,
        correlationId: 'correlation-1',
      },
    });
  });

  test('that SQS moved says so, for lack of a reason', () => {
    expect(received(body)).toMatchObject({ origin: 'sqs', reason: { code: 'NO_ANSWER', kind: 'exhausted' } });
  });

  test('of a stream names the records', () => {
    const batch = {
      requestContext: { condition: 'RetryAttemptsExhausted' },
      DDBStreamBatchInfo: { startSequenceNumber: '100', endSequenceNumber: '200' },
    };
    const letter = received(JSON.stringify(batch));
    expect(letter).toMatchObject({
      origin: 'stream',
      reason: { code: 'RetryAttemptsExhausted', message: expect.stringContaining('100 to 200') },
    });
    expect(letter).not.toHaveProperty('event');
  });

  test('of a replay names the replay', () => {
    const replayed = body.replace('"detail":', '"replay-name":"replay-1","detail":');
    expect(received(replayed).event?.replayName).toBe('replay-1');
  });

  test.each(['', 'no json', 'null', '[]', '{}', '{"source":"a"}', body.replace('"id":"event-1"', '"id":null')])(
    'with the body %s has no event, and can still be read',
    (text) => {
      expect(received(text, failure)).not.toHaveProperty('event');
      expect(received(text, failure).reason.code).toBe('UNWELCOME');
    },
  );

  test('that was edited is recognised by its digest', () => {
    expect(isEdited(received(body, failure))).toBe(false);
    expect(isEdited(received(body.replace('ada', 'eve'), failure))).toBe(true);
    expect(isEdited(received(body.replace('ada', 'eve'), undelivered))).toBe(false);
    expect(failure.EventDigest).toBe(eventDigest(body));
  });
});

describe('parking', () => {
  const reason = { code: 'EVENT_EDITED', message: 'Not what it was' };

  test.each([
    ['a consumer', failure, 'consumer', 'UNWELCOME'],
    ['a rule', undelivered, 'rule', 'NO_RESOURCE'],
  ])('a letter of %s keeps why it was dead, and gives it back', (_, attributes, origin, code) => {
    const parked = received(body, parkingAttributes(received(body, attributes), reason, 'the-dlq'));

    expect(Object.keys(parked.attributes).length).toBeLessThanOrEqual(10);
    expect(parked).toMatchObject({
      origin: 'parking',
      reason: { ...reason, kind: 'parked', correlationId: 'correlation-1' },
      attributes: { ParkedFrom: 'the-dlq', CauseCode: code },
    });
    expect(received(body, unparkedAttributes(parked.attributes))).toMatchObject({ origin, reason: { code } });
  });

  test('keeps the digest, so that an edited body is still recognised when it goes back', () => {
    const edited = body.replace('ada', 'eve');
    const parked = received(edited, parkingAttributes(received(edited, failure), reason, 'the-dlq'));
    expect(isEdited(received(edited, unparkedAttributes(parked.attributes)))).toBe(true);
  });
});

describe('message attributes', () => {
  test('are ten at most for a failure with everything', () => {
    expect(Object.keys(messageAttributes(failure, body))).toHaveLength(10);
  });

  test('leave out what is empty and replace what SQS refuses', () => {
    expect(messageAttributes({ a: 'x\u0000\ny', b: '', c: undefined, d: 'ok\ud800' }, '')).toEqual({
      a: { DataType: 'String', StringValue: 'x  y' },
      d: { DataType: 'String', StringValue: 'ok\ufffd' },
    });
  });

  test('are cut to what fits beside the body, the first ones first', () => {
    const full = 'x'.repeat(1024 * 1024);
    expect(messageAttributes(failure, full)).toEqual({});
    expect(Object.keys(messageAttributes(failure, full.slice(0, -60)))).toEqual(['ErrorCode', 'FailureKind']);
  });
});
