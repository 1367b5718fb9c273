import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { arn, LambdaUnderTest, queue } from '../../../fixtures/lambda-under-test.ts';

const EventSourceArn = arn('sqs', 'orders');
const FunctionName = 'relay';

let under: LambdaUnderTest;
beforeEach(() => {
  under = new LambdaUnderTest();
});
afterEach(() => under[Symbol.asyncDispose]());

const create = (input: Partial<CreateEventSourceMappingCommandInput> = {}) =>
  under.client.send(new CreateEventSourceMappingCommand({ EventSourceArn, FunctionName, ...input }));
const get = (UUID: string | undefined) => under.client.send(new GetEventSourceMappingCommand({ UUID }));
const put = (MessageBody: string, MessageSystemAttributes = {}) =>
  under.sqs.send(
    new SendMessageCommand({
      QueueUrl: `${under.cloud.host.awsUrl}/000000000000/orders`,
      MessageBody,
      MessageSystemAttributes,
    }),
  );
const bodies = () => under.seen().flatMap(({ event }) => (event.Records as { body: string }[]).map(({ body }) => body));
const resources = () => ({ Orders: queue('orders'), Relay: under.fn('relay'), Audit: under.fn('audit') });

// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
describe('a mapping of the API', () => {
  test('is created, feeds its function, and is deleted', async () => {
    await under.start(resources());
    const created = await create({ BatchSize: 1 });
    expect(created).toMatchObject({
      $metadata: { httpStatusCode: 202 },
      State: 'Creating',
      EventSourceArn,
      FunctionArn: arn('lambda', 'function:relay'),
      BatchSize: 1,
    });
    expect(await get(created.UUID)).toMatchObject({ State: 'Enabled' });
    await put('one');
    await eventually(() => expect(bodies()).toEqual(['one']));
    const deleted = await under.client.send(new DeleteEventSourceMappingCommand({ UUID: created.UUID }));
    expect(deleted.State).toBe('Deleting');
    await eventually(() => expect(get(created.UUID)).rejects.toMatchObject({ name: 'ResourceNotFoundException' }));
    await put('two');
    expect(bodies()).toEqual(['one']);
  });

  test('is paused and resumed, and given to another function', async () => {
    await under.start(resources());
    const { UUID } = await create({ Enabled: false });
    await put('one');
    expect(await get(UUID)).toMatchObject({ State: 'Disabled' });
    const update = (input: object) => under.client.send(new UpdateEventSourceMappingCommand({ UUID, ...input }));
    expect(await update({ FunctionName: 'audit' })).toMatchObject({ FunctionArn: arn('lambda', 'function:audit') });
    expect(await update({ Enabled: true })).toMatchObject({ State: 'Enabling' });
    await eventually(() => expect(bodies()).toEqual(['one']));
    expect(under.seen()[0]?.context.functionName).toBe('audit');
  });

  test('outlives the process with a data directory, and not when it was deleted', async () => {
    await under.start(resources(), { keepsData: true });
    const { UUID } = await create();
    const gone = await create({ FunctionName: 'audit' });
    await under.client.send(new UpdateEventSourceMappingCommand({ UUID, BatchSize: 3 }));
    await under.client.send(new DeleteEventSourceMappingCommand({ UUID: gone.UUID }));
    await under.stop();
    await under.start(resources(), { keepsData: true });
    const { EventSourceMappings } = await under.client.send(new ListEventSourceMappingsCommand({}));
    expect(EventSourceMappings).toMatchObject([{ UUID, BatchSize: 3, State: 'Enabled' }]);
  });

  test('gives the trace of its messages to the function', async () => {
    await under.start(resources());
    await create();
    const trace = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1';
    await put('one', { AWSTraceHeader: { DataType: 'String', StringValue: trace } });
    await eventually(() => expect(under.seen()[0]?.env._X_AMZN_TRACE_ID).toBe(trace));
  });
});

// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
describe('a mapping that AWS refuses is refused', () => {
  const table = arn('dynamodb', 'table/orders/stream/2026-01-01T00:00:00.000');
  const stream = { EventSourceArn: table, StartingPosition: 'LATEST' as const };
  const filters = (count: number, Pattern = '{"body":{"a":[1]}}') => ({
    FilterCriteria: { Filters: Array.from({ length: count }, () => ({ Pattern })) },
  });

  test.each<[Partial<CreateEventSourceMappingCommandInput>, string, string]>([
    [
      { BisectBatchOnFunctionError: true },
      'InvalidParameterValueException',
      'BisectBatchOnFunctionError is not valid for SQS event sources.',
    ],
    [
      { StartingPosition: 'LATEST' },
      'InvalidParameterValueException',
      'StartingPosition is not valid for SQS event sources.',
    ],
    [
      { MaximumRetryAttempts: 2 },
      'InvalidParameterValueException',
      'MaximumRetryAttempts is not valid for SQS event sources.',
    ],
    [
      { ParallelizationFactor: 2 },
      'InvalidParameterValueException',
      'ParallelizationFactor is not valid for SQS event sources.',
    ],
    [{ BatchSize: 11 }, 'InvalidParameterValueException', 'Maximum batch window in seconds must be greater than 0'],
    [{ BatchSize: 10_001 }, 'ValidationException', "'10001' at 'batchSize'"],
    [{ MaximumBatchingWindowInSeconds: 301 }, 'ValidationException', "'301' at 'maximumBatchingWindowInSeconds'"],
    [{ ScalingConfig: { MaximumConcurrency: 1 } }, 'ValidationException', "'1' at 'maximumConcurrency'"],
    [filters(11), 'InvalidParameterValueException', 'at most 10 filters'],
    [filters(1, `{"body":["${'x'.repeat(4096)}"]}`), 'ValidationException', 'length less than or equal to 4096'],
    [filters(1, '{"body":1}'), 'InvalidParameterValueException', 'Invalid filter pattern'],
    [{ EventSourceArn: arn('sqs', 'missing') }, 'InvalidParameterValueException', 'NonExistentQueue'],
    [{ EventSourceArn: arn('kinesis', 'stream/x') }, 'InvalidParameterValueException', 'Stream not found'],
    [{ EventSourceArn: arn('kafka', 'x') }, 'InvalidParameterValueException', 'Unrecognized event source'],
    [{ FunctionName: 'missing' }, 'ResourceNotFoundException', 'Function not found'],
    [
      { ...stream, MaximumRecordAgeInSeconds: 30 },
      'InvalidParameterValueException',
      'must be either -1 (forever) or between 60 and 604800',
    ],
    [{ ...stream, ParallelizationFactor: 11 }, 'ValidationException', "'11' at 'parallelizationFactor'"],
    [{ ...stream, MaximumRetryAttempts: 10_001 }, 'ValidationException', "'10001' at 'maximumRetryAttempts'"],
    [
      { ...stream, StartingPosition: 'AT_TIMESTAMP' },
      'InvalidParameterValueException',
      'must be TRIM_HORIZON or LATEST',
    ],
    [
      { ...stream, ScalingConfig: { MaximumConcurrency: 2 } },
      'InvalidParameterValueException',
      'ScalingConfig is not valid for DynamoDB',
    ],
    [
      { TumblingWindowInSeconds: 30 },
      'InvalidParameterValueException',
      'TumblingWindowInSeconds is not valid for SQS event sources.',
    ],
  ])('%j', async (input, name, message) => {
    await under.start(resources());
    await expect(create(input)).rejects.toMatchObject({ name, message: expect.stringContaining(message) });
    expect((await under.client.send(new ListEventSourceMappingsCommand({}))).EventSourceMappings).toEqual([]);
  });

  test('a second one of the same queue and function', async () => {
    await under.start(resources());
    const { UUID } = await create();
    await expect(create()).rejects.toMatchObject({
      name: 'ResourceConflictException',
      message: expect.stringContaining(`Please update or delete the existing mapping with UUID ${UUID}`),
    });
  });

  test('a queue with a visibility timeout below the timeout of the function', async () => {
    await under.start({ ...resources(), Relay: under.fn('relay', { Timeout: 31 }) });
    await expect(create()).rejects.toThrow(
      'Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds',
    );
  });

  test('a function whose role may not read the queue', async () => {
    const Role = {
      Type: 'AWS::IAM::Role',
      Properties: { RoleName: 'relay', AssumeRolePolicyDocument: {}, Policies: [] },
    };
    await under.start({ ...resources(), Role, Relay: under.fn('relay', { Role: { 'Fn::GetAtt': ['Role', 'Arn'] } }) });
    await expect(create()).rejects.toThrow(
      'The function execution role does not have permissions to call ReceiveMessage on SQS',
    );
  });
});
