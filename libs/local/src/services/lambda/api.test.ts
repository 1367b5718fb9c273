import {
  GetEventSourceMappingCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type LambdaClient,
  ListEventSourceMappingsCommand,
  ListFunctionsCommand,
  paginateListFunctions,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { arn, LambdaUnderTest, queue } from '../../../fixtures/lambda-under-test.ts';

const ARN = arn('lambda', 'function:put-stock');
const QUEUE_ARN = arn('sqs', 'orders');

const under = new LambdaUnderTest();
const send: LambdaClient['send'] = (...given: [never]) => under.client.send(...given);

beforeAll(() =>
  under.start({
    PutStock: under.fn('put-stock', { Timeout: 3 }),
    GetStock: under.fn('get-stock'),
    ListStock: under.fn('list-stock'),
    Orders: queue('orders'),
    Mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: { EventSourceArn: QUEUE_ARN, FunctionName: { Ref: 'PutStock' }, BatchSize: 5, Enabled: false },
    },
  }),
);
afterAll(() => under[Symbol.asyncDispose]());

const event = (value: unknown) => Buffer.from(JSON.stringify(value));

// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
describe('Invoke', () => {
  test.each(['put-stock', ARN, '000000000000:function:put-stock', 'put-stock:$LATEST'])(
    'by %s answers',
    async (FunctionName) => {
      const { StatusCode, ExecutedVersion, FunctionError, Payload } = await send(
        new InvokeCommand({ FunctionName, Payload: event({ id: 'A' }) }),
      );
      expect({ StatusCode, ExecutedVersion, FunctionError }).toEqual({ StatusCode: 200, ExecutedVersion: '$LATEST' });
      expect(JSON.parse(String(Payload?.transformToString()))).toEqual({ handled: 'A' });
    },
  );

  test('without a payload passes an empty object, and gives the log tail', async () => {
    const { Payload, LogResult } = await send(new InvokeCommand({ FunctionName: 'put-stock', LogType: 'Tail' }));
    expect(Payload?.transformToString()).toBe('{"handled":null}');
    expect(Buffer.from(LogResult ?? '', 'base64').toString()).toMatch(/^START RequestId: .*\nhandling\nEND /);
  });

  test('of a function that fails says so', async () => {
    const { FunctionError, Payload, StatusCode } = await send(
      new InvokeCommand({ FunctionName: 'put-stock', Payload: event({ fail: 'no sku' }) }),
    );
    expect({ FunctionError, StatusCode }).toEqual({ FunctionError: 'Unhandled', StatusCode: 200 });
    expect(JSON.parse(String(Payload?.transformToString()))).toMatchObject({
      errorType: 'TypeError',
      errorMessage: 'no sku',
    });
  });

  test('with InvocationType DryRun calls nothing', async () => {
    const { StatusCode } = await send(new InvokeCommand({ FunctionName: 'put-stock', InvocationType: 'DryRun' }));
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
    await expect(send(new InvokeCommand(input))).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
  });
});

describe('functions', () => {
  test('are described', async () => {
    const expected = {
      FunctionName: 'put-stock',
      FunctionArn: ARN,
      Runtime: 'nodejs24.x',
      Handler: 'code.handler',
      Timeout: 3,
      MemorySize: 128,
      Environment: { Variables: { SEEN: expect.any(String) } },
      State: 'Active',
    };
    expect(await send(new GetFunctionConfigurationCommand({ FunctionName: 'put-stock' }))).toMatchObject(expected);
    expect(await send(new GetFunctionCommand({ FunctionName: ARN }))).toMatchObject({ Configuration: expected });
  });

  test('are listed, page by page', async () => {
    const { Functions } = await send(new ListFunctionsCommand({}));
    expect(Functions?.map(({ FunctionName }) => FunctionName)).toEqual(['put-stock', 'get-stock', 'list-stock']);
    const pages: number[] = [];
    for await (const { Functions: page } of paginateListFunctions({ client: under.client, pageSize: 2 }, {}))
      pages.push(page?.length ?? 0);
    expect(pages).toEqual([2, 1]);
  });
});

// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html
describe('event source mappings', () => {
  const mappingId = async () => {
    const { EventSourceMappings } = await send(new ListEventSourceMappingsCommand({}));
    return EventSourceMappings?.[0]?.UUID;
  };

  test('are listed by source and function', async () => {
    const list = async (input: object) =>
      (await send(new ListEventSourceMappingsCommand(input))).EventSourceMappings?.map(({ UUID }) => UUID);
    expect(await list({})).toEqual([await mappingId()]);
    expect(await list({ EventSourceArn: QUEUE_ARN, FunctionName: 'put-stock' })).toEqual([await mappingId()]);
    expect(await list({ FunctionName: 'get-stock' })).toEqual([]);
    expect(await list({ EventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:other' })).toEqual([]);
  });

  test('are described and updated', async () => {
    const UUID = await mappingId();
    const before = await send(new GetEventSourceMappingCommand({ UUID }));
    expect(before).toMatchObject({
      UUID,
      BatchSize: 5,
      State: 'Disabled',
      FunctionArn: ARN,
      EventSourceArn: QUEUE_ARN,
    });
    expect(before.LastModified).toBeInstanceOf(Date);
    const after = await send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true, BatchSize: 7 }));
    expect(after).toMatchObject({ BatchSize: 7, State: 'Enabling' });
  });

  test('refuse what is not valid or not there', async () => {
    await expect(
      send(new UpdateEventSourceMappingCommand({ UUID: await mappingId(), BatchSize: 100 })),
    ).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
    await expect(send(new GetEventSourceMappingCommand({ UUID: 'none' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});
