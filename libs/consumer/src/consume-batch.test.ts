import { describe, expect, test } from '@jest/globals';
import { DuplicateEventError, PermanentError, TransientError, UnavailableError } from '@millrace/errors';
import { timeLeft } from '@millrace/retry';
import { envelopeText, lambdaContext, RecordingClient, sampleEvent, sqsEvent, sqsRecord } from '@millrace/testing';
import type { SQSRecord } from 'aws-lambda';
import { Knocked, settings } from '../fixtures/knocked.ts';
import { consumeBatch } from './index.ts';

type Outcomes = readonly (Error | undefined)[];

/** A consumer that takes all visitors of a batch at once. */
function setUp(
  answer: (visitors: string[]) => Outcomes | Promise<Outcomes> = (visitors) => visitors.map(() => undefined),
) {
  const sqs = new RecordingClient();
  const batches: string[][] = [];
  const ids: string[] = [];
  const handler = consumeBatch(
    [Knocked],
    async (records) => {
      const visitors = records.map(({ event }) => event.data.visitor);
      batches.push(visitors);
      ids.push(...records.map(({ context }) => context.inbox.eventId));
      return answer(visitors);
    },
    {},
    { sqs, settings, random: () => 1 },
  );
  return {
    sqs,
    batches,
    ids,
    handler,
    run: async (...records: SQSRecord[]) => {
      const { batchItemFailures } = await handler(sqsEvent(...records), lambdaContext());
      return batchItemFailures.map(({ itemIdentifier }) =>
        records.findIndex((record) => record.messageId === itemIdentifier),
      );
    },
    sent: () =>
      sqs
        .inputs<{ QueueUrl: string; MessageBody: string }>('SendMessageCommand')
        .map(({ QueueUrl, MessageBody }) => [QueueUrl, MessageBody]),
  };
}

const record = (visitor: string, id = visitor) => sqsRecord(envelopeText(sampleEvent(Knocked, { visitor }, { id })));

describe('consumeBatch', () => {
  test('hands all events of a batch over at once, in their order, each under its own id', async () => {
    const { run, batches, ids } = setUp();

    expect(await run(record('ada'), record('bob'), record('eve'))).toEqual([]);
    expect(batches).toEqual([['ada', 'bob', 'eve']]);
    expect(ids).toEqual(['ada', 'bob', 'eve']);
  });

  test('keeps from the handler what is malformed, and what a replay brings', async () => {
    const { run, batches, sent } = setUp();
    const replayed = sqsRecord(record('eve').body.replace('"detail":', '"replay-name":"r","detail":'));
    const malformed = sqsRecord('no event');

    expect(await run(malformed, record('ada'), replayed)).toEqual([]);
    expect(batches).toEqual([['ada']]);
    expect(sent()).toEqual([[settings.deadLetterQueueUrl, 'no event']]);
  });

  test('is not called when nothing is left of a batch', async () => {
    const { run, batches } = setUp();

    await run(sqsRecord('no event'));

    expect(batches).toEqual([]);
  });

  test('does with each record what its outcome says', async () => {
    const outcomes = [
      undefined,
      new DuplicateEventError('butler.onKnocked', 'b'),
      new PermanentError('UNWELCOME', 'never'),
      new TransientError('LATER', 'later'),
      new UnavailableError('BUSY', 'busy'),
    ];
    const { run, sent, sqs } = setUp(() => outcomes);
    const records = ['a', 'b', 'c', 'd', 'e'].map((visitor) => record(visitor));

    expect(await run(...records)).toEqual([3]);
    expect(sent().toSorted()).toEqual(
      [
        [settings.deadLetterQueueUrl, records[2]?.body],
        [settings.queueUrl, records[4]?.body],
      ].toSorted(),
    );
    expect(sqs.inputs('ChangeMessageVisibilityCommand')).toMatchObject([{ ReceiptHandle: records[3]?.receiptHandle }]);
  });

  test.each<[string, () => Outcomes]>([
    [
      'throws',
      () => {
        throw new TransientError('LATER', 'later');
      },
    ],
    ['answers fewer outcomes than there are records', () => [undefined]],
    ['answers more', () => [undefined, undefined, undefined]],
  ])('fails all records of a handler that %s', async (_, answer) => {
    expect(await setUp(answer).run(record('ada'), record('bob'))).toEqual([0, 1]);
  });

  test('is not called when the time is up, and answers in time when the handler hangs', async () => {
    const late = setUp();
    const hanging = setUp(() => new Promise<Outcomes>(() => {}));

    const response = await late.handler(sqsEvent(record('ada')), lambdaContext(500));
    const answered = await hanging.handler(sqsEvent(record('ada')), lambdaContext(510));

    expect(response.batchItemFailures).toHaveLength(1);
    expect(late.batches).toEqual([]);
    expect(answered.batchItemFailures).toHaveLength(1);
  });

  test('tells its handler how much time is left', async () => {
    let left: number | undefined;
    const { handler } = setUp(() => {
      left = timeLeft();
      return [undefined];
    });

    await handler(sqsEvent(record('ada')), lambdaContext(7_000));

    expect(left).toBe(6_500);
  });

  test('names its contracts', () => {
    expect(setUp().handler.contracts).toEqual([Knocked]);
  });

  test('does not start on a FIFO queue', () => {
    const fifo = { ...settings, queueUrl: 'http://127.0.0.1/queue.fifo' };

    expect(() => consumeBatch([Knocked], async () => [], {}, { sqs: new RecordingClient(), settings: fifo })).toThrow(
      'MILLRACE_CONSUMER_QUEUE_URL must be a standard queue',
    );
  });
});

describe('a batch of bad messages', () => {
  interface Request {
    QueueUrl: string;
    Entries: { Id: string; MessageBody: string; MessageAttributes: Record<string, { StringValue: string }> }[];
  }

  /** A queue that takes all letters but those with a text. */
  function setUpQueue(refused?: string) {
    const sqs = new RecordingClient((name, input) => {
      if (name !== 'SendMessageBatchCommand') return {};
      const { Entries } = input as Request;
      const [Failed, Successful] = [true, false].map((fails) =>
        Entries.filter(({ MessageBody }) => (refused !== undefined && MessageBody.includes(refused)) === fails),
      );
      return {
        Successful,
        Failed: Failed?.map(({ Id }) => ({ Id, Code: 'InvalidMessageContents', SenderFault: true })),
      };
    });
    const handler = consumeBatch([Knocked], async (records) => records.map(() => undefined), {}, { sqs, settings });
    const run = async (...records: SQSRecord[]) => {
      const { batchItemFailures } = await handler(sqsEvent(...records), lambdaContext());
      return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    };
    return { run, requests: () => sqs.inputs<Request>('SendMessageBatchCommand'), sqs };
  }
  const bad = (count: number, body = 'no event') =>
    Array.from({ length: count }, (_, index) => sqsRecord(`${body} ${index}`));

  test('goes to the dead-letter queue by ten letters a request, each with its reason', async () => {
    const { run, requests, sqs } = setUpQueue();
    const records = bad(95);

    expect(await run(...records, record('ada'))).toEqual([]);

    expect(sqs.sent).toHaveLength(10);
    expect(requests().map(({ QueueUrl }) => QueueUrl)).toEqual(requests().map(() => settings.deadLetterQueueUrl));
    const letters = requests().flatMap(({ Entries }) => Entries);
    expect(letters.map(({ MessageBody }) => MessageBody)).toEqual(records.map(({ body }) => body));
    for (const { MessageAttributes } of letters) {
      expect(MessageAttributes).toMatchObject({
        ErrorCode: { StringValue: 'MALFORMED_EVENT' },
        FailureKind: { StringValue: 'permanent' },
      });
    }
  });

  test('is reported as far as its letters were not taken', async () => {
    const { run } = setUpQueue('no event 3');
    const records = bad(10);

    expect(await run(...records)).toEqual([records[3]?.messageId]);
  });

  test('takes more requests where the letters are large: one holds 1 MiB', async () => {
    const { run, requests } = setUpQueue();

    expect(await run(...bad(10, 'x'.repeat(300_000)))).toEqual([]);

    expect(requests().map(({ Entries }) => Entries.length)).toEqual([3, 3, 3]);
  });

  test('comes again as a whole when the queue does not answer', async () => {
    const sqs = new RecordingClient((name) => {
      if (name === 'SendMessageBatchCommand') throw new Error('no answer');
      return {};
    });
    const handler = consumeBatch([Knocked], async (records) => records.map(() => undefined), {}, { sqs, settings });

    const { batchItemFailures } = await handler(sqsEvent(...bad(12)), lambdaContext());

    expect(batchItemFailures).toHaveLength(12);
  });
});
