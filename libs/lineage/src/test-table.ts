import { readFileSync } from 'node:fs';
import { CreateTableCommand, type CreateTableCommandInput, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { parse } from 'yaml';

const template = new URL('../../../services/event-log/serverless.yml', import.meta.url);

/** Creates the log's table for a test, with the keys and indexes that it is deployed with. */
export async function createLogTable(client: DynamoDBClient, TableName: string): Promise<void> {
  const { resources } = parse(readFileSync(template, 'utf8'), { logLevel: 'error' });
  const definition: CreateTableCommandInput = resources.Resources.Table.Properties;
  const { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes, BillingMode } = definition;
  await client.send(
    new CreateTableCommand({ TableName, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes, BillingMode }),
  );
}
