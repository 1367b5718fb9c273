import { describe, expect, test } from '@jest/globals';
import { withTimeLimit } from '@millrace/retry';
import { RecordingClient } from '@millrace/testing';
import { idOf, readItems, StoreBusyError } from './index.ts';

type Keys = { pk: string; sk: string }[];
const keyOf = (index: number) => ({ pk: String(index), sk: 'ITEM' });
const keys = (count: number): Keys => Array.from({ length: count }, (_, index) => keyOf(index));

/** A table of items 0, 1, 2 …; each request is answered for at most `answered` of its keys. */
function setUp({ answered = 100, items = 1_000 } = {}) {
  const requests: number[] = [];
  const client = new RecordingClient((_, input) => {
    const { Keys } = (input as { RequestItems: { table: { Keys: Keys } } }).RequestItems.table;
    requests.push(Keys.length);
    const left = Keys.slice(answered);
    return {
      Responses: { table: Keys.slice(0, answered).filter(({ pk }) => Number(pk) < items) },
      UnprocessedKeys: left.length > 0 ? { table: { Keys: left } } : {},
    };
  });
  return { client, requests };
}

describe('reading items', () => {
  test('takes a request for each hundred, and asks for a key once', async () => {
    const { client, requests } = setUp();

    const items = await readItems(client, 'table', [...keys(250), ...keys(250)]);

    expect(requests).toEqual([100, 100, 50]);
    expect(items.size).toBe(250);
    expect(items.get(idOf(keyOf(249)))).toEqual(keyOf(249));
  });

  test('says of which there is none', async () => {
    const { client } = setUp({ items: 1 });

    expect((await readItems(client, 'table', keys(2))).get(idOf(keyOf(1)))).toBeUndefined();
  });

  test('asks again for what DynamoDB has left out', async () => {
    const { client, requests } = setUp({ answered: 40 });

    const items = await readItems(client, 'table', keys(100));

    expect(requests).toEqual([100, 60, 20]);
    expect([...items.values()]).not.toContain(undefined);
  });

  test('is busy when DynamoDB keeps leaving items out', async () => {
    const { client } = setUp({ answered: 0 });

    const reading = withTimeLimit(
      () => 100,
      () => readItems(client, 'table', keys(1)),
    );
    await expect(reading).rejects.toThrow(StoreBusyError);
  });
});
