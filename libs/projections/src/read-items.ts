import {
  BatchGetCommand,
  type BatchGetCommandInput,
  type BatchGetCommandOutput,
  type DynamoDBDocumentClient,
  type NativeAttributeValue,
} from '@aws-sdk/lib-dynamodb';

export interface ItemKey {
  pk: string;
  sk: string;
}

export type Item = ItemKey & Record<string, NativeAttributeValue>;

/** DynamoDB takes as many keys at once. */
const KEYS_PER_REQUEST = 100;

/** A key as one text, for maps. */
export function idOf({ pk, sk }: ItemKey): string {
  return JSON.stringify([pk, sk]);
}

/** Reads items, strongly consistent; those that do not exist are left out. A key may be named twice. */
export async function readItems(
  client: Pick<DynamoDBDocumentClient, 'send'>,
  tableName: string,
  keys: readonly ItemKey[],
): Promise<Map<string, Item>> {
  const distinct = [...new Map(keys.map(({ pk, sk }) => [idOf({ pk, sk }), { pk, sk }])).values()];
  const items = new Map<string, Item>();
  for (let start = 0; start < distinct.length; start += KEYS_PER_REQUEST) {
    let RequestItems: BatchGetCommandInput['RequestItems'] = {
      [tableName]: { Keys: distinct.slice(start, start + KEYS_PER_REQUEST), ConsistentRead: true },
    };
    while (RequestItems && Object.keys(RequestItems).length > 0) {
      const answer: BatchGetCommandOutput = await client.send(new BatchGetCommand({ RequestItems }));
      for (const item of (answer.Responses?.[tableName] ?? []) as Item[]) items.set(idOf(item), item);
      RequestItems = answer.UnprocessedKeys;
    }
  }
  return items;
}
