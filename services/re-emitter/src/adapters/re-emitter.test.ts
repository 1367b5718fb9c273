import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { eventDigest, type ReemitRequest } from '@millrace/dead-letters';

import { type EventEmitter, InMemoryEmitter } from '@millrace/events';
import { OrderPlaced } from '@millrace/orders/events';
import { logger } from '@millrace/telemetry';
import { envelopeText, RecordingClient, sampleEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { DeadLetterQueues } from './dead-letter-queues.ts';
import { Ledger } from './ledger.ts';
import { ReEmitter } from './re-emitter.ts';

type Letter = ReemitRequest['messages'][number];

let dynamoDb: TestDynamoDb;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('ledger');
});
afterAll(() => dynamoDb.stop());

function dead(body = envelopeText(sampleEvent(OrderPlaced)), attributes: Record<string, string> = {}): Letter {
  return { messageId: randomUUID(), receiptHandle: `handle-${randomUUID()}`, body, attributes };
}

interface DeleteInput {
  QueueUrl: string;
  Entries: { Id: string; ReceiptHandle: string }[];
}

const deletesAll = (name: string, input: unknown) =>
  name === 'DeleteMessageBatchCommand'
    ? { Successful: (input as DeleteInput).Entries.map(({ Id }) => ({ Id })), Failed: [] }
    : {};

const parkingQueueUrl = 'https://sqs.eu-west-1.amazonaws.com/123456789012/millrace-re-emitter-dev-parking';

/** A re-emitter of one queue of its own, with a real ledger. */
function setUp(
  options: {
    sqs?: (name: string, input: unknown) => unknown;
    ledger?: Partial<Pick<Ledger, 'record'>>;
    emitter?: EventEmitter;
  } = {},
) {
  const queueName = `millrace-test-dev-${randomUUID()}-dlq`;
  const sqs = new RecordingClient(options.sqs ?? deletesAll);
  const emitter = new InMemoryEmitter();
  const ledger = new Ledger(documentClient(), 'ledger');
  const reEmitter = new ReEmitter({
    emitter: options.emitter ?? emitter,
    ledger: Object.assign(
      Object.create(ledger),
      { reemitted: ledger.reemitted.bind(ledger), record: ledger.record.bind(ledger) },
      options.ledger,
    ),
    deadLetters: new DeadLetterQueues(sqs, parkingQueueUrl),
  });
  return {
    emitter,
    sqs,
    queueName,
    reemit: (...messages: Letter[]) => reEmitter.reemit({ queueName, messages }),
    deleted: () =>
      sqs
        .inputs<DeleteInput>('DeleteMessageBatchCommand')
        .flatMap(({ Entries }) => Entries.map((e) => e.ReceiptHandle)),
    parked: () =>
      sqs.inputs<{ QueueUrl: string; MessageBody: string; MessageAttributes: Record<string, { StringValue: string }> }>(
        'SendMessageCommand',
      ),
  };
}

describe('re-emitting', () => {
  test('calls no other host, account or Region than its own', async () => {
    const { reemit, sqs, queueName } = setUp();

    await reemit(dead());

    expect(sqs.inputs<{ QueueUrl: string }>('DeleteMessageBatchCommand').map(({ QueueUrl }) => QueueUrl)).toEqual([
      `https://sqs.eu-west-1.amazonaws.com/123456789012/${queueName}`,
    ]);
  });

  test('emits every event as it is and deletes its letter', async () => {
    const letters = Array.from({ length: 23 }, () => dead());
    const { reemit, emitter, deleted } = setUp();

    const results = await reemit(...letters);

    expect(results).toEqual(letters.map(({ messageId }) => ({ messageId, outcome: 'reemitted' })));
    expect(emitter.emitted.map(({ detail }) => detail)).toEqual(
      letters.map(({ body }) => body.slice(body.indexOf('"detail":') + 9, -1)),
    );
    expect(deleted().sort()).toEqual(letters.map(({ receiptHandle }) => receiptHandle).sort());
  });

  test('does not log what a caller puts where the id of a message belongs', async () => {
    const logged = [jest.spyOn(logger, 'info').mockReturnValue(), jest.spyOn(logger, 'warn').mockReturnValue()];
    const { reemit } = setUp();

    for (const body of [undefined, '{']) await reemit({ ...dead(body), messageId: 'ada@example.com' });

    const lines = JSON.stringify(logged.flatMap(({ mock }) => mock.calls));
    jest.restoreAllMocks();
    expect(lines).toContain('Dead event re-emitted');
    expect(lines).toContain('Dead event parked');
    expect(lines).not.toContain('ada@example.com');
  });

  test('deletes only what EventBridge accepted, entry by entry', async () => {
    const [accepted, refused] = [dead(), dead()];
    const { reemit, emitter, deleted } = setUp();
    emitter.refuse = ({ detail }) => refused.body.includes(detail);

    expect(await reemit(refused, accepted)).toEqual([
      { messageId: refused.messageId, outcome: 'kept', code: 'InternalFailure', reason: 'Refused by the test' },
      { messageId: accepted.messageId, outcome: 'reemitted' },
    ]);
    expect(deleted()).toEqual([accepted.receiptHandle]);
  });

  test('parks a letter whose id the ledger cannot keep, and lets it stop no other one', async () => {
    const withId = (id: string) => {
      const { detail, ...envelope } = JSON.parse(envelopeText(sampleEvent(OrderPlaced)));
      return dead(JSON.stringify({ ...envelope, detail: { ...detail, metadata: { ...detail.metadata, id } } }));
    };
    const { reemit, emitter } = setUp();

    expect(await reemit(withId('x'.repeat(3_000)), dead(), withId('\ud800'))).toMatchObject([
      { outcome: 'parked', code: 'MALFORMED_EVENT' },
      { outcome: 'reemitted' },
      { outcome: 'parked', code: 'MALFORMED_EVENT' },
    ]);
    expect(emitter.emitted).toHaveLength(1);
  });

  test('a letter that could not be deleted is deleted the next time and not emitted again', async () => {
    let fails = true;
    const letter = dead();
    const { reemit, emitter, deleted } = setUp({
      sqs: (name, input) => {
        if (fails) throw new Error('SQS is down');
        return deletesAll(name, input);
      },
    });

    expect(await reemit(letter)).toMatchObject([{ outcome: 'reemitted', stillThere: true }]);
    fails = false;
    expect(await reemit(letter)).toEqual([{ messageId: letter.messageId, outcome: 'reemitted' }]);

    expect(emitter.emitted).toHaveLength(1);
    expect(deleted()).toContain(letter.receiptHandle);
  });

  test('a letter whose emission could not be recorded stays, and comes again', async () => {
    const letter = dead();
    const failing = setUp({
      ledger: {
        record: async () => {
          throw new Error('DynamoDB is down');
        },
      },
    });

    expect(await failing.reemit(letter)).toMatchObject([{ outcome: 'kept', code: 'NOT_RECORDED' }]);
    expect(failing.deleted()).toEqual([]);
    expect(await failing.reemit(letter)).toMatchObject([{ outcome: 'kept' }]);
    expect(failing.emitter.emitted).toHaveLength(2);
  });

  test('an event that dies each time is parked at the third', async () => {
    const body = envelopeText(sampleEvent(OrderPlaced));
    const { reemit, emitter, parked, deleted, queueName } = setUp();
    const third = dead(body, { ErrorCode: 'BROKEN', ErrorMessage: 'still', Consumer: 'a.b', FailureKind: 'exhausted' });

    expect(await reemit(dead(body))).toMatchObject([{ outcome: 'reemitted' }]);
    expect(await reemit(dead(body))).toMatchObject([{ outcome: 'reemitted' }]);
    expect(await reemit(third)).toMatchObject([{ outcome: 'parked', code: 'REEMITTED_TOO_OFTEN' }]);

    expect(emitter.emitted.map(({ traceHeader }) => traceHeader?.split(';').at(-1))).toEqual([
      'Reemission=1',
      'Reemission=2',
    ]);
    const [letter] = parked();
    expect(letter).toMatchObject({ QueueUrl: parkingQueueUrl, MessageBody: body });
    expect(letter?.MessageAttributes).toMatchObject({
      ErrorCode: { StringValue: 'REEMITTED_TOO_OFTEN' },
      FailureKind: { StringValue: 'parked' },
      ParkedFrom: { StringValue: queueName },
      CauseCode: { StringValue: 'BROKEN' },
      CauseMessage: { StringValue: 'still' },
      Consumer: { StringValue: 'a.b' },
    });
    expect(deleted()).toContain(third.receiptHandle);
  });

  test('three letters of one event in one call: two are emitted', async () => {
    const body = envelopeText(sampleEvent(OrderPlaced));
    const { reemit } = setUp();
    expect((await reemit(dead(body), dead(body), dead(body))).map(({ outcome }) => outcome)).toEqual([
      'reemitted',
      'reemitted',
      'parked',
    ]);
  });

  test.each([
    ['unparseable', () => dead('no event'), 'MALFORMED_EVENT'],
    ['edited', () => dead(undefined, { EventDigest: eventDigest('another body') }), 'EVENT_EDITED'],
    [
      'oversized',
      () =>
        dead(envelopeText(sampleEvent(OrderPlaced)).replace('"detail":{', `"detail":{"x":"${'x'.repeat(1_040_000)}",`)),
      'EVENT_TOO_LARGE',
    ],
  ])('an %s letter is parked with its reason, its neighbours are emitted', async (_, make, code) => {
    const [bad, good] = [make(), dead()];
    const { reemit, parked, emitter } = setUp();

    expect(await reemit(bad, good)).toMatchObject([{ outcome: 'parked', code }, { outcome: 'reemitted' }]);
    expect(emitter.emitted).toHaveLength(1);
    expect(parked()).toMatchObject([
      { MessageBody: bad.body, MessageAttributes: { ErrorCode: { StringValue: code } } },
    ]);
  });

  test('a letter that was parked and could not be deleted says both', async () => {
    const { reemit, parked } = setUp({
      sqs: (name) => {
        if (name === 'DeleteMessageBatchCommand') throw new Error('SQS is down');
      },
    });
    expect(await reemit(dead('no event'))).toMatchObject([
      {
        outcome: 'parked',
        code: 'MALFORMED_EVENT',
        stillThere: true,
        reason: expect.stringContaining('still in the queue'),
      },
    ]);
    expect(parked()).toHaveLength(1);
  });

  test('a letter that cannot be parked stays', async () => {
    const bad = dead('no event');
    const { reemit, deleted } = setUp({
      sqs: () => {
        throw new Error('SQS is down');
      },
    });
    expect(await reemit(bad)).toMatchObject([{ outcome: 'kept', code: 'MALFORMED_EVENT' }]);
    expect(deleted()).toEqual([]);
  });
});
