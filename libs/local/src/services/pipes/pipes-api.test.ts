import { describe, expect, it, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import {
  declaredPipe,
  functionArn,
  type PipesUnderTest,
  pipeInput,
  pipesForEachTest,
  queueArn,
  startPipes,
} from '../../../fixtures/pipes-under-test.ts';

const { start } = pipesForEachTest();

const reaches = (started: PipesUnderTest, state: string) =>
  eventually(async () => {
    const { CurrentState } = await started.invoke('DescribePipe', { Name: 'p' });
    expect(CurrentState).toBe(state);
  });

// https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_CreatePipe.html
describe('CreatePipe', () => {
  it('answers with the state CREATING; the pipe runs after that', async () => {
    const started = await start();
    const answer = await started.invoke('CreatePipe', pipeInput({ Description: 'd', Tags: { team: 'shop' } }));
    const Arn = 'arn:aws:pipes:us-east-1:000000000000:pipe/p';
    const times = { CreationTime: expect.any(Number), LastModifiedTime: expect.any(Number) };
    expect(answer).toEqual({ Arn, Name: 'p', DesiredState: 'RUNNING', CurrentState: 'CREATING', ...times });
    await reaches(started, 'RUNNING');
    expect(await started.invoke('DescribePipe', { Name: 'p' })).toEqual({
      ...pipeInput({ Description: 'd', Tags: { team: 'shop' } }),
      ...{ Arn, DesiredState: 'RUNNING', CurrentState: 'RUNNING', ...times },
    });
    await expect(started.invoke('CreatePipe', pipeInput())).rejects.toMatchObject({
      code: 'ConflictException',
      status: 409,
      details: { resourceId: 'p', resourceType: 'Pipe' },
    });
  });

  test.each<[string, object, string]>([
    ['no role', { RoleArn: undefined }, "Value null at 'roleArn'"],
    ['a bad name', { Name: 'a b' }, "Value 'a b' at 'name'"],
    ['an unknown state', { DesiredState: 'PAUSED' }, 'enum value set: [RUNNING, STOPPED]'],
    ['a source that is not here', { Source: 'arn:aws:kafka:us-east-1:000000000000:cluster/s' }, 'arn:aws:kafka'],
    ['a target that is not here', { Target: 'arn:aws:ecs:us-east-1:000000000000:cluster/c' }, 'arn:aws:ecs'],
    ['a FIFO queue without a group', { Target: queueArn('out.fifo') }, 'MessageGroupId is required'],
    ['a batch that the target does not take', batchOf(11, 1), 'BatchSize 11 is more than the 10'],
    ['a large batch without a window', { Target: functionArn('f'), ...batchOf(11) }, 'Maximum batch window'],
    [
      'parameters of another source',
      { SourceParameters: { DynamoDBStreamParameters: { StartingPosition: 'LATEST' } } },
      'DynamoDBStreamParameters is not valid for sqs',
    ],
    [
      'parameters of another target',
      { TargetParameters: { LambdaFunctionParameters: {} } },
      'LambdaFunctionParameters is not valid for sqs',
    ],
    [
      'parameters that have no effect here',
      { TargetParameters: { BatchJobParameters: {} } },
      'TargetParameters.BatchJobParameters',
    ],
    [
      'a filter that is not valid',
      { SourceParameters: { FilterCriteria: { Filters: [{ Pattern: '{"a":1}' }] } } },
      'filter pattern',
    ],
    [
      'a template with an unknown variable',
      { TargetParameters: { InputTemplate: '{"a":<b>}' } },
      'invalid placeholder b',
    ],
    [
      'a stream without a position',
      { Source: 'arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/1' },
      'DynamoDBStreamParameters are required',
    ],
  ])('refuses %s', async (_name, members, message) => {
    const started = await start();
    await expect(started.invoke('CreatePipe', pipeInput(members))).rejects.toMatchObject({
      code: 'ValidationException',
      message: expect.stringContaining(message),
    });
  });
});

function batchOf(BatchSize: number, MaximumBatchingWindowInSeconds?: number) {
  return { SourceParameters: { SqsQueueParameters: { BatchSize, MaximumBatchingWindowInSeconds } } };
}

// https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_StopPipe.html
test('a pipe that is stopped reads nothing until it is started', async () => {
  const started = await start();
  await started.invoke('CreatePipe', pipeInput());
  await reaches(started, 'RUNNING');
  expect(await started.invoke('StopPipe', { Name: 'p' })).toMatchObject({
    DesiredState: 'STOPPED',
    CurrentState: 'STOPPING',
  });
  await reaches(started, 'STOPPED');
  await started.send({ a: 1 });
  expect(await started.count('in')).toBe(1);
  expect(await started.invoke('StartPipe', { Name: 'p' })).toMatchObject({ CurrentState: 'STARTING' });
  await eventually(async () => expect(await started.count('out')).toBe(1));
});

// https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_UpdatePipe.html
test('UpdatePipe changes the members that it gets; the others stay', async () => {
  const started = await start();
  const InputTemplate = '{"first":<$.body.a>}';
  await started.invoke('CreatePipe', pipeInput({ Description: 'd', TargetParameters: { InputTemplate } }));
  await reaches(started, 'RUNNING');
  const { RoleArn } = pipeInput();
  const changes = { TargetParameters: { InputTemplate: '{"second":<$.body.a>}' } };
  expect(await started.invoke('UpdatePipe', { Name: 'p', RoleArn, ...changes })).toMatchObject({
    CurrentState: 'UPDATING',
  });
  await reaches(started, 'RUNNING');
  expect(await started.invoke('DescribePipe', { Name: 'p' })).toMatchObject({ Description: 'd', ...changes });
  await started.send({ a: 1 });
  await eventually(async () => expect(await started.take('out')).toEqual(['{"second":1}']));
});

// https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_DeletePipe.html
test('DeletePipe ends a pipe', async () => {
  const started = await start();
  await started.invoke('CreatePipe', pipeInput());
  await reaches(started, 'RUNNING');
  expect(await started.invoke('DeletePipe', { Name: 'p' })).toMatchObject({
    DesiredState: 'DELETED',
    CurrentState: 'DELETING',
  });
  await eventually(() =>
    expect(started.invoke('DescribePipe', { Name: 'p' })).rejects.toMatchObject({
      code: 'NotFoundException',
      status: 404,
    }),
  );
  await started.send({ a: 1 });
  expect(await started.count('in')).toBe(1);
});

// https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_ListPipes.html
test('ListPipes gives pages, by name, source, target and state', async () => {
  const started = await start();
  for (const Name of ['a1', 'a2', 'b1']) {
    await started.invoke('CreatePipe', pipeInput({ Name, DesiredState: 'STOPPED' }));
  }
  const names = async (input: object) => {
    const { Pipes, NextToken } = (await started.invoke('ListPipes', input)) as never as {
      Pipes: { Name: string }[];
      NextToken?: string;
    };
    return { names: Pipes.map(({ Name }) => Name), NextToken };
  };
  const first = await names({ Limit: 2 });
  expect(first.names).toEqual(['a1', 'a2']);
  expect((await names({ NextToken: first.NextToken })).names).toEqual(['b1']);
  expect((await names({ NamePrefix: 'b' })).names).toEqual(['b1']);
  expect((await names({ TargetPrefix: queueArn('in') })).names).toEqual([]);
  expect((await names({ DesiredState: 'RUNNING' })).names).toEqual([]);
});

// https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_TagResource.html
test('tags are added, listed and removed', async () => {
  const started = await start();
  const { Arn: resourceArn } = await started.invoke('CreatePipe', pipeInput({ Tags: { a: '1' } }));
  await started.invoke('TagResource', { resourceArn, tags: { b: '2', c: '3' } });
  await started.invoke('UntagResource', { resourceArn, tagKeys: ['a', 'c'] });
  expect(await started.invoke('ListTagsForResource', { resourceArn })).toEqual({ tags: { b: '2' } });
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-pipes-pipe.html
describe('a pipe of a template', () => {
  it('runs, and a warning names each property that has no effect', async () => {
    const members = {
      LogConfiguration: { Level: 'INFO' },
      SourceParameters: { SqsQueueParameters: { BatchSize: '1' } },
      TargetParameters: { EventBridgeEventBusParameters: undefined, BatchJobParameters: { JobName: 'j' } },
    };
    const started = await start({ resources: { Pipe: declaredPipe(members) } });
    await started.send({ a: 1 });
    await eventually(async () => expect(await started.count('out')).toBe(1));
    expect(started.warnings.join('\n')).toContain('Pipe: LogConfiguration of AWS::Pipes::Pipe is not supported here');
    expect(started.warnings.join('\n')).toContain('Pipe: TargetParameters.BatchJobParameters of AWS::Pipes::Pipe');
  });

  it('stops the start when it is not valid, or when its source cannot be read', async () => {
    const invalid = startPipes({ resources: { Pipe: declaredPipe({ TargetParameters: { InputTemplate: '<x>' } }) } });
    await expect(invalid).rejects.toThrow('Resources.Pipe: InputTemplate contains invalid placeholder x');
    const missing = startPipes({ resources: { Pipe: declaredPipe({ Source: queueArn('nowhere') }) } });
    await expect(missing).rejects.toThrow(/Resources.Pipe: .*nowhere does not exist/);
  });
});
