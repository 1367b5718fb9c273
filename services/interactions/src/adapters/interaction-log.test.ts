import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { View } from '../../views/index.ts';
import { InteractionLog } from './interaction-log.ts';

const sessionId = randomUUID();
const views = ['a', 'b', 'c', 'd'].map(
  (sku, position): View => ({
    ...{ id: randomUUID(), sessionId, page: 'product', sku, viewedAt: '2026-01-15T09:30:00.000Z', position },
  }),
);

interface Sent {
  PartitionKey: string;
  Data: Uint8Array;
}

/** A stream that answers a call with what `answers` says of each of its records, and takes all of later calls. */
function logWith(...answers: (Error | ('stored' | 'refused')[])[]) {
  const calls: string[][] = [];
  const keys = new Set<string>();
  const client = {
    send: async ({ input }: { input: { Records: Sent[] } }) => {
      const answer = answers[calls.length] ?? [];
      calls.push(input.Records.map(({ Data }) => JSON.parse(Buffer.from(Data).toString()).sku));
      for (const { PartitionKey } of input.Records) keys.add(PartitionKey);
      if (answer instanceof Error) throw answer;
      return {
        Records: input.Records.map((_, index) =>
          answer[index] === 'refused'
            ? { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: 'slow down' }
            : { SequenceNumber: '1', ShardId: 'shardId-000000000000' },
        ),
      };
    },
  };
  return { log: new InteractionLog(client as never, 'views', { sleep: async () => {} }), calls, keys };
}

const skusOf = (some: readonly View[]) => some.map(({ sku }) => sku);
const busy = Object.assign(new Error('busy'), { name: 'ProvisionedThroughputExceededException' });

test('views go in one call, with their session as the key of the partition', async () => {
  const { log, calls, keys } = logWith();

  expect(await log.append(views)).toEqual([]);
  expect(calls).toEqual([['a', 'b', 'c', 'd']]);
  expect([...keys]).toEqual([sessionId]);
});

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
test('what the stream refuses is sent again, alone and in its order', async () => {
  const { log, calls } = logWith(['stored', 'refused', 'stored', 'refused'], ['refused', 'stored']);

  expect(await log.append(views)).toEqual([]);
  expect(calls).toEqual([['a', 'b', 'c', 'd'], ['b', 'd'], ['b']]);
});

test('what it keeps refusing is told', async () => {
  const no: 'refused'[] = ['refused', 'refused'];
  const { log, calls } = logWith(['stored', 'refused', 'refused', 'stored'], no, no, no);

  expect(skusOf(await log.append(views))).toEqual(['b', 'c']);
  expect(calls).toHaveLength(4);
});

test('all of it is told when the stream is down', async () => {
  const { log } = logWith(busy, busy, busy, busy);

  expect(skusOf(await log.append(views))).toEqual(['a', 'b', 'c', 'd']);
});

test('a stream that is not there is an error of ours', async () => {
  const gone = Object.assign(new Error('no such stream'), { name: 'ResourceNotFoundException' });

  await expect(logWith(gone).log.append(views)).rejects.toThrow('no such stream');
});
