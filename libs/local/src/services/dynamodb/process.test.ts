import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { callAwsJson } from '../../core/aws-json-client.ts';
import { type DynamoDb, startDynamoDb } from './process.ts';
import { createTable } from './tables.ts';

const region = 'us-east-1';
const properties = {
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
  TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
};
const running: DynamoDb[] = [];

async function started(dataDirectory?: string): Promise<DynamoDb> {
  const dynamodb = await startDynamoDb({ dataDirectory, onExit: () => undefined });
  running.push(dynamodb);
  return dynamodb;
}

const call = ({ endpoint }: DynamoDb, operation: string, input: unknown) =>
  callAwsJson(endpoint, { region, service: 'dynamodb', target: `DynamoDB_20120810.${operation}` }, input);

afterEach(async () => {
  for (const dynamodb of running.splice(0)) await dynamodb.stop();
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
test('a table is created as its properties say', async () => {
  const dynamodb = await started();
  const { streamArn } = await createTable({ endpoint: dynamodb.endpoint, region }, 'orders', properties);
  expect(streamArn).toMatch(/^arn:aws:dynamodb:[^:]+:\d+:table\/orders\/stream\//);
  const { Table } = await call(dynamodb, 'DescribeTable', { TableName: 'orders' });
  expect(Table).toMatchObject({
    KeySchema: properties.KeySchema,
    BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
  });
  const { TimeToLiveDescription } = await call(dynamodb, 'DescribeTimeToLive', { TableName: 'orders' });
  expect(TimeToLiveDescription).toEqual({ AttributeName: 'ttl', TimeToLiveStatus: 'ENABLED' });
});

test('a data directory keeps items and streams; other keys than before are an error', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-test-'));
  try {
    const first = await started(directory);
    const before = await createTable({ endpoint: first.endpoint, region }, 'orders', properties);
    await call(first, 'PutItem', { TableName: 'orders', Item: { pk: { S: 'a' } } });
    await first.stop();

    const second = await started(directory);
    const place = { endpoint: second.endpoint, region };
    expect(await createTable(place, 'orders', properties)).toEqual(before);
    expect((await call(second, 'GetItem', { TableName: 'orders', Key: { pk: { S: 'a' } } })).Item).toEqual({
      pk: { S: 'a' },
    });
    const otherKeys = { ...properties, KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] };
    const index = { IndexName: 'byPk', KeySchema: properties.KeySchema, Projection: { ProjectionType: 'ALL' } };
    for (const changed of [otherKeys, { ...properties, GlobalSecondaryIndexes: [index] }]) {
      await expect(createTable(place, 'orders', changed)).rejects.toThrow(
        'Table orders is already there with other keys or indexes',
      );
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('the process ends with the one that started it, even when that is killed', async () => {
  const script = `
    import { startDynamoDb } from ${JSON.stringify(new URL('./process.ts', import.meta.url).href)};
    const { endpoint } = await startDynamoDb({ onExit: () => {} });
    console.log(endpoint);
    setInterval(() => {}, 1000);`;
  const owner = spawn(
    process.execPath,
    ['--input-type=module', '--disable-warning=ExperimentalWarning', '-e', script],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [line] = (await once(owner.stdout, 'data')) as [Buffer];
  const endpoint = line.toString().trim();
  expect((await fetch(endpoint)).status).toBe(200);

  owner.kill('SIGKILL');

  const deadline = Date.now() + 5_000;
  const answers = () =>
    fetch(endpoint).then(
      () => true,
      () => false,
    );
  while ((await answers()) && Date.now() < deadline) await delay(20);
  expect(await answers()).toBe(false);
});
