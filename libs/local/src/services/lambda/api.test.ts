import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  GetEventSourceMappingCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  ListFunctionsCommand,
  paginateListFunctions,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { handleLambdaRequest, type LambdaRegistry } from './api.ts';
import type { EventSourceMapping } from './event-source-mapping.ts';
import { FunctionPool } from './function-pool.ts';
import { startSqsMapping } from './sqs-mapping.ts';

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:put-stock';
const QUEUE_ARN = 'arn:aws:sqs:us-east-1:000000000000:orders';

let directory: string;
let server: Server;
let client: LambdaClient;
let mapping: EventSourceMapping;
let pools: FunctionPool[];
const failures: string[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lambda-api-'));
  writeFileSync(
    join(directory, 'stock.cjs'),
    `exports.put = async (event) => { console.log('putting'); if (event.fail) throw new TypeError('no sku'); return { put: event.sku }; };`,
  );
  pools = ['put-stock', 'get-stock', 'list-stock'].map(
    (name) =>
      new FunctionPool(
        {
          name,
          arn: ARN.replace('put-stock', name),
          handler: 'stock.put',
          codeDirectory: directory,
          timeoutSeconds: 3,
          memoryMb: 128,
          environment: { TABLE: 'stock' },
          concurrency: 2,
        },
        { log: () => undefined },
      ),
  );
  mapping = startSqsMapping({
    uuid: '6f1c1f5e-0000-4000-8000-000000000001',
    properties: { EventSourceArn: QUEUE_ARN, FunctionName: 'put-stock', BatchSize: 5, Enabled: false },
    queue: {
      queueArn: QUEUE_ARN,
      region: 'us-east-1',
      visibilityTimeoutSeconds: 30,
      receive: ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve([]))),
      deleteBatch: async () => undefined,
    },
    functionArn: ARN,
    functionTimeoutSeconds: 3,
    functionConcurrency: 2,
    invoke: async () => ({ requestId: '', payload: 'null', logTail: '' }),
  });
  const registry: LambdaRegistry = {
    functions: new Map(pools.map((pool) => [pool.definition.name, pool])),
    mappings: [mapping],
    onAsyncFailure: (name, payload) => failures.push(`${name} ${payload}`),
  };
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url ?? '', 'http://localhost');
    const answer = await handleLambdaRequest(
      {
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      },
      registry,
    );
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  client = new LambdaClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
});

afterAll(async () => {
  client.destroy();
  server.close();
  server.closeAllConnections();
  await mapping.stop();
  await Promise.all(pools.map((pool) => pool.stop()));
  rmSync(directory, { recursive: true });
});

const event = (value: unknown) => Buffer.from(JSON.stringify(value));

describe('Invoke', () => {
  test.each(['put-stock', ARN, '000000000000:function:put-stock', 'put-stock:$LATEST'])(
    'by %s answers',
    async (FunctionName) => {
      const { StatusCode, ExecutedVersion, FunctionError, Payload } = await client.send(
        new InvokeCommand({ FunctionName, Payload: event({ sku: 'A' }) }),
      );
      expect({ StatusCode, ExecutedVersion, FunctionError }).toEqual({ StatusCode: 200, ExecutedVersion: '$LATEST' });
      expect(JSON.parse(String(Payload?.transformToString()))).toEqual({ put: 'A' });
    },
  );

  test('without a payload passes an empty object, and gives the log tail', async () => {
    const { Payload, LogResult } = await client.send(new InvokeCommand({ FunctionName: 'put-stock', LogType: 'Tail' }));
    expect(Payload?.transformToString()).toBe('{}');
    expect(Buffer.from(LogResult ?? '', 'base64').toString()).toMatch(/^START RequestId: .*\nputting\nEND /);
  });

  test('of a function that fails says so', async () => {
    const { FunctionError, Payload, StatusCode } = await client.send(
      new InvokeCommand({ FunctionName: 'put-stock', Payload: event({ fail: true }) }),
    );
    expect({ FunctionError, StatusCode }).toEqual({ FunctionError: 'Unhandled', StatusCode: 200 });
    expect(JSON.parse(String(Payload?.transformToString()))).toMatchObject({
      errorType: 'TypeError',
      errorMessage: 'no sku',
    });
  });

  test('with InvocationType Event answers at once, and reports a failure', async () => {
    const { StatusCode } = await client.send(
      new InvokeCommand({ FunctionName: 'put-stock', InvocationType: 'Event', Payload: event({ fail: true }) }),
    );
    expect(StatusCode).toBe(202);
    const deadline = Date.now() + 4000;
    while (failures.length === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(failures).toEqual(['put-stock {"fail":true}']);
  });

  test('with InvocationType DryRun calls nothing', async () => {
    const { StatusCode } = await client.send(
      new InvokeCommand({ FunctionName: 'put-stock', InvocationType: 'DryRun' }),
    );
    expect(StatusCode).toBe(204);
  });

  test.each([
    ['an unknown function', { FunctionName: 'nope' }, 'ResourceNotFoundException', 404],
    ['an unknown version', { FunctionName: 'put-stock', Qualifier: '7' }, 'ResourceNotFoundException', 404],
    ['no JSON', { FunctionName: 'put-stock', Payload: Buffer.from('{') }, 'InvalidRequestContentException', 400],
    [
      'too large an asynchronous payload',
      { FunctionName: 'put-stock', InvocationType: 'Event' as const, Payload: event('x'.repeat(1024 * 1024)) },
      'RequestTooLargeException',
      413,
    ],
    [
      'too large a payload',
      { FunctionName: 'put-stock', Payload: event('x'.repeat(6 * 1024 * 1024)) },
      'RequestTooLargeException',
      413,
    ],
  ])('of %s is refused', async (_name, input, name, httpStatusCode) => {
    await expect(client.send(new InvokeCommand(input))).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
  });
});

describe('functions', () => {
  test('are described', async () => {
    const expected = {
      FunctionName: 'put-stock',
      FunctionArn: ARN,
      Runtime: 'nodejs24.x',
      Handler: 'stock.put',
      Timeout: 3,
      MemorySize: 128,
      Environment: { Variables: { TABLE: 'stock' } },
      State: 'Active',
    };
    expect(await client.send(new GetFunctionConfigurationCommand({ FunctionName: 'put-stock' }))).toMatchObject(
      expected,
    );
    expect(await client.send(new GetFunctionCommand({ FunctionName: ARN }))).toMatchObject({ Configuration: expected });
  });

  test('are listed, page by page', async () => {
    const { Functions } = await client.send(new ListFunctionsCommand({}));
    expect(Functions?.map(({ FunctionName }) => FunctionName)).toEqual(['put-stock', 'get-stock', 'list-stock']);
    const pages: number[] = [];
    for await (const { Functions: page } of paginateListFunctions({ client, pageSize: 2 }, {}))
      pages.push(page?.length ?? 0);
    expect(pages).toEqual([2, 1]);
  });
});

describe('event source mappings', () => {
  test('are listed by source and function', async () => {
    const list = async (input: object) =>
      (await client.send(new ListEventSourceMappingsCommand(input))).EventSourceMappings?.map(({ UUID }) => UUID);
    expect(await list({})).toEqual([mapping.uuid]);
    expect(await list({ EventSourceArn: QUEUE_ARN, FunctionName: 'put-stock' })).toEqual([mapping.uuid]);
    expect(await list({ FunctionName: 'get-stock' })).toEqual([]);
    expect(await list({ EventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:other' })).toEqual([]);
  });

  test('are described and updated', async () => {
    const UUID = mapping.uuid;
    const before = await client.send(new GetEventSourceMappingCommand({ UUID }));
    expect(before).toMatchObject({
      UUID,
      BatchSize: 5,
      State: 'Disabled',
      FunctionArn: ARN,
      EventSourceArn: QUEUE_ARN,
    });
    expect(before.LastModified).toBeInstanceOf(Date);
    const after = await client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true, BatchSize: 7 }));
    expect(after).toMatchObject({ BatchSize: 7, State: 'Enabled' });
  });

  test('refuse what is not valid or not there', async () => {
    await expect(
      client.send(new UpdateEventSourceMappingCommand({ UUID: mapping.uuid, BatchSize: 100 })),
    ).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
    await expect(client.send(new GetEventSourceMappingCommand({ UUID: 'none' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});
