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

async function expireLocksAt(endpoint: string): Promise<void> {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const dynamodb = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials });
  const client = DynamoDBDocumentClient.from(dynamodb);
  for await (const { TableNames = [] } of paginateListTables({ client: dynamodb }, {})) {
    for (const TableName of TableNames.filter((name) => name.endsWith('-idempotency'))) {
      for await (const { Items = [] } of paginateScan({ client }, { TableName })) {
        for (const { id } of Items.filter(({ status }) => status === 'INPROGRESS')) {
          const UpdateExpression = 'SET in_progress_expiration = :past';
          await client.send(
            new UpdateCommand({ TableName, Key: { id }, UpdateExpression, ExpressionAttributeValues: { ':past': 0 } }),
          );
        }
      }
    }
  }
  dynamodb.destroy();
}
