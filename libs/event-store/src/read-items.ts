import { BatchGetCommand, type DocumentClient } from '@millrace/aws';
import { retry } from '@millrace/retry';
import { StoreBusyError } from './errors.ts';

export interface ItemKey {
  pk: string;
  sk: string;
}

// Only the code that wrote an attribute knows its type.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Item = ItemKey & Record<string, any>;

/** What was read, by `idOf`; undefined: there is no such item. */
export type KnownItems = ReadonlyMap<string, Item | undefined>;

/** DynamoDB takes as many keys at once. */
const KEYS_PER_REQUEST = 100;

/** A key as one text, for maps. */
export function idOf({ pk, sk }: ItemKey): string {
  return JSON.stringify([pk, sk]);
}

/**
 * Reads items, each strongly consistent, with as few requests as possible. What DynamoDB leaves out because it is busy is
 * asked for again, until the time of the function is up.
 *
 * @param keys as many as you like; a key may be named twice
 * @throws StoreBusyError when DynamoDB kept leaving some out
 * @example const stock = (await readItems(client, table, [stockKey('FLOUR')])).get(idOf(stockKey('FLOUR')));
 */
export async function readItems(
  client: DocumentClient,
  tableName: string,
  keys: readonly ItemKey[],
): Promise<KnownItems> {
  const items = new Map<string, Item | undefined>(keys.map((key) => [idOf(key), undefined]));
  const distinct = [...new Map(keys.map(({ pk, sk }) => [idOf({ pk, sk }), { pk, sk }])).values()];
  for (let start = 0; start < distinct.length; start += KEYS_PER_REQUEST) {
    let RequestItems: BatchGetCommand['input']['RequestItems'] = {
      [tableName]: { Keys: distinct.slice(start, start + KEYS_PER_REQUEST), ConsistentRead: true },
    };
    const attempt = async () => {
      const answer: BatchGetCommand['output'] = await client.send(new BatchGetCommand({ RequestItems }));
      for (const item of (answer.Responses?.[tableName] ?? []) as Item[]) items.set(idOf(item), item);
      RequestItems = answer.UnprocessedKeys;
      if (RequestItems && Object.keys(RequestItems).length > 0) throw new StoreBusyError('UnprocessedKeys');
    };
    await retry(attempt, { isRetryable: (error) => error instanceof StoreBusyError });
  }
  return items;
}
