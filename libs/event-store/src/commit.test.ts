import { describe, expect, test } from '@jest/globals';
import { AwsError, ConditionalCheckFailedException, TransactionCanceledException } from '@millrace/aws';
import { DuplicateEventError, TransientError } from '@millrace/errors';
import { RecordingClient } from '@millrace/testing';
import {
  type CommitOptions,
  ConcurrencyConflictError,
  type ConditionalWrite,
  commit,
  StoreBusyError,
} from './index.ts';

/** What DynamoDB throws for a transaction with these reasons, one for each write. */
function cancelled(...codes: (string | undefined)[]): TransactionCanceledException {
  return new TransactionCanceledException({
    message: 'Transaction cancelled',
    $metadata: {},
    CancellationReasons: codes.map((Code) => (Code === undefined ? {} : { Code })),
  });
}

const plain: ConditionalWrite = { write: { Put: { TableName: 't', Item: { pk: '1', sk: '1' } } } };
const stale: ConditionalWrite = {
  ...plain,
  onConditionFailed: (options) => new ConcurrencyConflictError('stale', options),
};
const duplicate: ConditionalWrite = {
  ...plain,
  onConditionFailed: (options) => new DuplicateEventError('consumer', 'event', options),
};

/** Commits against answers given one after the other; an error is thrown, anything else is success. */
function setUp(answers: readonly unknown[], options: CommitOptions = {}) {
  const pauses: number[] = [];
  const left = [...answers];
  const client = new RecordingClient(() => {
    const answer = left.shift();
    if (answer instanceof Error) throw answer;
    return {};
  });
  const run = (...writes: ConditionalWrite[]) =>
    commit(client, writes, {
      random: () => 1,
      sleep: async (ms) => {
        pauses.push(ms);
      },
      ...options,
    });
  return { client, pauses, run };
}

const failed = 'ConditionalCheckFailed';
const conflict = 'TransactionConflict';

describe('a condition that does not hold', () => {
  test('is the error of its write, with the cancellation as cause', async () => {
    const cancellation = cancelled('None', failed);

    await expect(setUp([cancellation]).run(plain, stale)).rejects.toMatchObject({
      code: 'CONCURRENCY_CONFLICT',
      cause: cancellation,
    });
  });

  test('of the inbox explains every other one', async () => {
    await expect(setUp([cancelled(failed, failed)]).run(stale, duplicate)).rejects.toThrow(DuplicateEventError);
    await expect(setUp([cancelled(failed, failed)]).run(duplicate, stale)).rejects.toThrow(DuplicateEventError);
  });

  test('is the first one otherwise', async () => {
    const second: ConditionalWrite = { ...plain, onConditionFailed: () => new RangeError('second') };

    await expect(setUp([cancelled(failed, failed)]).run(stale, second)).rejects.toThrow(ConcurrencyConflictError);
  });

  test('is not tried again, not even beside a conflict', async () => {
    const { run, client } = setUp([cancelled(failed, conflict)]);

    await expect(run(stale, plain)).rejects.toThrow(ConcurrencyConflictError);
    expect(client.sent).toHaveLength(1);
  });

  test('of a write that has no error for it is the cancellation itself', async () => {
    const cancellation = cancelled(failed);

    await expect(setUp([cancellation]).run(plain)).rejects.toBe(cancellation);
  });
});

describe('a transaction that lost against another one', () => {
  test.each([conflict, 'ThrottlingError', 'ProvisionedThroughputExceeded'])('by %s is tried again', async (code) => {
    const { run, client } = setUp([cancelled(code, 'None'), cancelled(undefined, code), {}]);

    await run(plain, plain);

    expect(client.sent).toHaveLength(3);
    expect(client.sent[2]).toEqual(client.sent[0]);
  });

  test('pauses with full jitter below a growing bound', async () => {
    const losses = Array.from({ length: 8 }, () => cancelled(conflict));
    const most = setUp(losses, { maxAttempts: 8 });
    const least = setUp(losses, { maxAttempts: 8, random: () => 0 });

    await expect(most.run(plain)).rejects.toThrow(StoreBusyError);
    await expect(least.run(plain)).rejects.toThrow(StoreBusyError);

    expect(most.pauses).toEqual([40, 80, 160, 320, 640, 1000, 1000]);
    expect(least.pauses).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  test('again and again is busy, which is transient', async () => {
    const { run, client } = setUp([cancelled(conflict), cancelled(conflict), cancelled(conflict)], { maxAttempts: 3 });

    const error = await run(plain).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(TransientError);
    expect(error).toMatchObject({ code: 'STORE_BUSY', message: expect.stringContaining(conflict) });
    expect(client.sent).toHaveLength(3);
  });

  test('and then finds the event handled says so', async () => {
    await expect(setUp([cancelled(conflict), cancelled(failed)]).run(duplicate)).rejects.toThrow(DuplicateEventError);
  });
});

describe('a single write', () => {
  const { TableName, Item } = plain.write.Put ?? { TableName: 't', Item: {} };
  const Update = { TableName, Key: Item, UpdateExpression: 'ADD uses :one' };

  test.each([
    ['a put', plain, 'PutCommand', plain.write.Put],
    ['an update', { write: { Update } }, 'UpdateCommand', Update],
    ['a deletion', { write: { Delete: { TableName, Key: Item } } }, 'DeleteCommand', { TableName, Key: Item }],
  ])('(%s) is a plain request, which takes half the units of a transaction', async (_, write, name, input) => {
    const { run, client } = setUp([{}]);

    await run(write);

    expect(client.sent).toEqual([{ name, input }]);
  });

  test('of a condition alone is a transaction: there is no other request for it', async () => {
    const { run, client } = setUp([{}]);

    await run({ write: { ConditionCheck: { TableName, Key: Item, ConditionExpression: 'attribute_exists(pk)' } } });

    expect(client.sent.map(({ name }) => name)).toEqual(['TransactWriteCommand']);
  });

  test('whose condition does not hold throws its error, or the one of DynamoDB, at once', async () => {
    const refused = new ConditionalCheckFailedException({});

    await expect(setUp([refused]).run(stale)).rejects.toMatchObject({ code: 'CONCURRENCY_CONFLICT', cause: refused });
    await expect(setUp([refused]).run(plain)).rejects.toBe(refused);
  });

  test('that meets a transaction is tried again', async () => {
    const { run, client, pauses } = setUp([new AwsError('TransactionConflictException', {}), {}]);

    await run(plain);

    expect(client.sent).toHaveLength(2);
    expect(pauses).toEqual([40]);
  });
});

test('more writes than DynamoDB takes are refused before anything is sent', async () => {
  const { run, client } = setUp([]);

  await expect(run(...Array.from({ length: 101 }, () => plain))).rejects.toMatchObject({
    code: 'TRANSACTION_TOO_LARGE',
    message: 'The transaction has 101 writes, and DynamoDB takes 100',
  });
  expect(client.sent).toEqual([]);
});

test.each([
  ['an invalid write', cancelled('ValidationError')],
  ['an invalid write beside a conflict', cancelled('ValidationError', conflict)],
  ['a cancellation without reasons', cancelled()],
  ['any other error', new Error('socket hang up')],
])('%s is thrown as it is, at once', async (_, error) => {
  const { run, client } = setUp([error]);

  await expect(run(plain, plain)).rejects.toBe(error);
  expect(client.sent).toHaveLength(1);
});
