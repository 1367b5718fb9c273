import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient, paginateListTables } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateScan, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { startDynamoDbServer } from '@millrace/local/dynamodb';

/**
 * Has the idempotency locks of killed containers expire at once. Otherwise they do so after minutes, because the clocks of AWS's
 * containers may differ, and each order under way would wait for it. Nobody has them any more: the runtime is not running.
 */
export async function expireLocks(dataDirectory: string): Promise<void> {
  await using database = await startDynamoDbServer({ dataDirectory });
  await expireLocksAt(database.endpoint);
}

/**
 * Does the same under a runtime that is running, for functions that could not say that they ended. Only to locks that are there now and
 * are still there when no function that has one can be running any more.
 *
 * @param timeoutMs of the functions
 */
export async function expireLocksAt(endpoint: string, timeoutMs = 0): Promise<void> {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const dynamodb = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials });
  const client = DynamoDBDocumentClient.from(dynamodb);
  const locks: { TableName: string; Key: { id: unknown } }[] = [];
  for await (const { TableNames = [] } of paginateListTables({ client: dynamodb }, {})) {
    for (const TableName of TableNames.filter((name) => name.endsWith('-idempotency'))) {
      for await (const { Items = [] } of paginateScan({ client }, { TableName })) {
        const held = Items.filter(({ status }) => status === 'INPROGRESS');
        locks.push(...held.map(({ id }) => ({ TableName, Key: { id } })));
      }
    }
  }
  if (locks.length > 0) await delay(timeoutMs);
  for (const lock of locks) {
    const expire = new UpdateCommand({
      ...lock,
      ConditionExpression: '#status = :held',
      UpdateExpression: 'SET in_progress_expiration = :past',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':held': 'INPROGRESS', ':past': 0 },
    });
    await client.send(expire).catch((error: Error) => {
      // It was given back meanwhile.
      if (error.name !== 'ConditionalCheckFailedException') throw error;
    });
  }
  dynamodb.destroy();
}
