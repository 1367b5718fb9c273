import { beforeEach, describe, expect, test } from '@jest/globals';
import { PermanentError, UnavailableError } from '@millrace/errors';
import { kinesisEvent, lambdaContext } from '@millrace/testing';
import fc from 'fast-check';
import * as z from 'zod';
import { consumeStream } from './index.ts';

interface Letter {
  MessageBody: string;
  MessageAttributes: Record<string, { StringValue: string }>;
}

const schema = z.strictObject({ count: z.int(), note: z.string().optional() });
let letters: Letter[];
let queueIsDown: boolean;
beforeEach(() => {
  letters = [];
  queueIsDown = false;
});

/** A consumer whose handler answers what `outcomeOf` says of each count. */
function consumer(outcomeOf: (count: number) => Error | undefined = () => undefined) {
  const handled: number[][] = [];
  const sqs = {
    send: async ({ input }: { input: Letter | { Entries: (Letter & { Id: string })[] } }) => {
      if (queueIsDown) throw new Error('SQS is down');
      letters.push(...('Entries' in input ? input.Entries : [input]));
      return 'Entries' in input ? { Successful: input.Entries, Failed: [] } : {};
    },
  };
  const handler = consumeStream(
    schema,
    async (records) => {
      handled.push(records.map(({ data }) => data.count));
      return records.map(({ data }) => outcomeOf(data.count));
    },
    { sqs: sqs as never, settings: { consumer: 'test.onCount', deadLetterQueueUrl: 'http://127.0.0.1/dlq' } },
  );
  const run = async (...values: unknown[]) =>
    (await handler(kinesisEvent(...values), lambdaContext())).batchItemFailures.map(
      ({ itemIdentifier }) => itemIdentifier,
    );
  return { run, handled };
}

const counts = (...values: number[]) => values.map((count) => ({ count }));
const codes = () => letters.map(({ MessageAttributes }) => MessageAttributes.ErrorCode?.StringValue);

test('hands the records of a batch over together, in their order', async () => {
  const { run, handled } = consumer();

  expect(await run(...counts(3, 1, 2))).toEqual([]);
  expect(handled).toEqual([[3, 1, 2]]);
});

// https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
test('answers with the first record that is not done, although later ones are', async () => {
  const { run } = consumer((count) => (count >= 2 && count < 4 ? new UnavailableError('BUSY', 'busy') : undefined));

  expect(await run(...counts(1, 2, 3, 4))).toEqual(['2']);
  expect(letters).toEqual([]);
});

describe('a record that no retry can help', () => {
  test.each([
    ['is not JSON', Buffer.from('{"count":'), 'MALFORMED_RECORD'],
    ['is not UTF-8', Buffer.from([0xff, 0xfe]), 'MALFORMED_RECORD'],
    ['is not valid Unicode', Buffer.from('{"count":1,"note":"\\ud800"}'), 'MALFORMED_RECORD'],
    ['is empty', Buffer.alloc(0), 'MALFORMED_RECORD'],
    ['is null', null, 'SCHEMA_VIOLATION'],
    ['has a wrong type', { count: '1' }, 'SCHEMA_VIOLATION'],
    ['has a field too many', { count: 1, email: 'ada@example.com' }, 'SCHEMA_VIOLATION'],
  ])('because it %s is a dead letter, and holds no other back', async (_, value, code) => {
    const { run, handled } = consumer();

    expect(await run({ count: 1 }, value, { count: 2 })).toEqual([]);

    expect(handled).toEqual([[1, 2]]);
    expect(codes()).toEqual([code]);
    expect(JSON.parse(letters[0]?.MessageBody ?? '')).toMatchObject({
      kinesis: { sequenceNumber: '2', partitionKey: 'key', data: expect.any(String) },
    });
  });

  test('says which members are wrong, and not what is in them', async () => {
    await consumer().run({ count: 'ada@example.com' });

    expect(letters[0]?.MessageAttributes.ErrorMessage?.StringValue).toBe('The record does not fit its schema: count');
  });

  test('because its handler says so goes there with its code', async () => {
    const { run } = consumer((count) => (count === 2 ? new PermanentError('NO_SUCH_COUNT', 'no') : undefined));

    expect(await run(...counts(1, 2, 3))).toEqual([]);
    expect(codes()).toEqual(['NO_SUCH_COUNT']);
  });

  test('comes again while its queue takes no letter', async () => {
    queueIsDown = true;

    expect(await consumer().run({ count: 1 }, null, { count: 2 })).toEqual(['2']);
  });

  test('leaves its data out where SQS would not take them', async () => {
    await consumer().run({ count: 1, size: 'x'.repeat(900_000) });

    const { kinesis } = JSON.parse(letters[0]?.MessageBody ?? '');
    expect(kinesis).toMatchObject({ sequenceNumber: '1' });
    expect(kinesis).not.toHaveProperty('data');
  });
});

// Lambda divides the batch of an invocation that failed. https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
test('a handler that throws fails the invocation', async () => {
  const { run } = consumer(() => {
    throw new Error('all of it');
  });

  await expect(run(...counts(1, 2))).rejects.toThrow('all of it');
});

test('a handler that forgets a record fails the invocation', async () => {
  const handler = consumeStream(schema, async () => [], {
    sqs: {} as never,
    settings: { consumer: 'test.onCount', deadLetterQueueUrl: 'http://127.0.0.1/dlq' },
  });

  await expect(handler(kinesisEvent({ count: 1 }), lambdaContext())).rejects.toThrow('0 outcomes for 1 records');
});

test('whatever is in a stream, each record is handled or a dead letter', async () => {
  const record = fc.oneof(fc.uint8Array(), fc.json(), fc.record({ count: fc.integer() }), fc.anything());
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 20 }), async (values) => {
      letters = [];
      const { run, handled } = consumer();
      const bytes = values.map((value) =>
        value instanceof Uint8Array ? value : Buffer.from(typeof value === 'string' ? value : (toJson(value) ?? '')),
      );

      expect(await run(...bytes)).toEqual([]);
      expect(handled.flat().length + letters.length).toBe(values.length);
    }),
  );
});

function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

test('a setting that is missing is named', () => {
  expect(() => consumeStream(schema, async () => [])).toThrow(/MILLRACE_CONSUMER/);
});
