import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { CallCounter } from './sandbox-provider.ts';

const KEEP_SECONDS = 24 * 60 * 60;

/** Counts calls in the service's table, so that the sandbox has one memory however many containers ask it. */
export function callCounterIn(client: DynamoDBDocumentClient, tableName: string): CallCounter {
  return async (key) => {
    const { Attributes } = await client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: { pk: `SANDBOX#${key}`, sk: 'SANDBOX' },
        UpdateExpression: 'ADD calls :one SET #ttl = :ttl',
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: { ':one': 1, ':ttl': Math.floor(Date.now() / 1000) + KEEP_SECONDS },
        ReturnValues: 'UPDATED_NEW',
      }),
    );
    return Number(Attributes?.calls);
  };
}
