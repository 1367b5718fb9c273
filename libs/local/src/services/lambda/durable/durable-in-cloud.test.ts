import { GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { ListDurableExecutionsByFunctionCommand } from '@aws-sdk/client-lambda';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { DurableUnderTest } from '../../../../fixtures/durable-under-test.ts';
import { arn, queue } from '../../../../fixtures/lambda-under-test.ts';

const MINUTE = { ExecutionTimeout: 60 };
let under: DurableUnderTest;
beforeEach(() => {
  under = new DurableUnderTest();
});
afterEach(() => under[Symbol.asyncDispose]());

const allow = (Action: string[], Resource: string) => ({ Effect: 'Allow', Action, Resource });
const role = (...Statement: object[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName: 'durable-role',
    AssumeRolePolicyDocument: {},
    Policies: [{ PolicyName: 'all', PolicyDocument: { Version: '2012-10-17', Statement } }],
  },
});
const executions = async (FunctionName: string) => {
  const { DurableExecutions = [] } = await under.client.send(
    new ListDurableExecutionsByFunctionCommand({ FunctionName }),
  );
  return DurableExecutions;
};

// https://docs.aws.amazon.com/lambda/latest/dg/durable-security.html
describe('permissions of the execution role', () => {
  const CHECKPOINT = ['lambda:CheckpointDurableExecution', 'lambda:GetDurableExecutionState'];
  const start = (...statements: object[]) =>
    under.startFunctions(
      { plain: undefined },
      {
        resources: {
          Role: role(...statements),
          ...Object.fromEntries(
            ['faulty', 'caller'].map((name) => [
              name,
              under.fn(name, {
                Handler: `code.${name}`,
                DurableConfig: MINUTE,
                Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
              }),
            ]),
          ),
        },
      },
    );
  const own = (name: string) => arn('lambda', `function:${name}:*/durable-execution/*/*`);

  test('a function checkpoints its own executions', async () => {
    await start(allow(CHECKPOINT, own('faulty')));
    await under.until(await under.begin('faulty'), 'SUCCEEDED');
  });

  test('an execution fails if its function may not checkpoint', async () => {
    await start(allow(CHECKPOINT, own('other')));
    const { Error: error } = await under.until(await under.begin('faulty'), 'FAILED');
    expect(error?.ErrorMessage).toContain('lambda:CheckpointDurableExecution');
  });

  test('a function calls another that its role may invoke', async () => {
    await start(allow(CHECKPOINT, own('caller')), allow(['lambda:InvokeFunction'], arn('lambda', 'function:plain')));
    await under.until(await under.begin('caller', { callee: 'plain', input: {} }), 'SUCCEEDED');
  });

  test('a function does not call another that its role may not invoke', async () => {
    await start(allow(CHECKPOINT, own('caller')));
    const { Error: error } = await under.until(await under.begin('caller', { callee: 'plain', input: {} }), 'FAILED');
    expect(error?.ErrorMessage).toContain('lambda:InvokeFunction');
  });
});

// https://docs.aws.amazon.com/lambda/latest/dg/durable-monitoring.html
describe('monitoring', () => {
  test('changes of status are events on the default bus', async () => {
    const Statement = {
      ...{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage' },
      Resource: arn('sqs', 'changes'),
    };
    const PolicyDocument = { Version: '2012-10-17', Statement: [Statement] };
    const Targets = [{ Id: 'q', Arn: arn('sqs', 'changes') }];
    await under.startFunctions(
      { faulty: MINUTE },
      {
        resources: {
          Queue: queue('changes'),
          Policy: { Type: 'AWS::SQS::QueuePolicy', Properties: { Queues: [{ Ref: 'Queue' }], PolicyDocument } },
          Rule: { Type: 'AWS::Events::Rule', Properties: { EventPattern: { source: ['aws.lambda'] }, Targets } },
        },
      },
    );
    const execution = await under.begin('faulty', {}, 'one');
    await under.until(execution, 'SUCCEEDED');
    const seen: Record<string, unknown>[] = [];
    await eventually(async () => {
      seen.push(...(await under.messages('changes')).map(({ body }) => body as Record<string, unknown>));
      expect(seen).toHaveLength(2);
    });
    const detail = {
      durableExecutionArn: execution,
      durableExecutionName: 'one',
      functionArn: arn('lambda', 'function:faulty:$LATEST'),
      startTimestamp: expect.any(String),
    };
    const common = { 'detail-type': 'Durable Execution Status Change', source: 'aws.lambda', resources: [] };
    expect(seen).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ ...common, detail: { ...detail, status: 'RUNNING' } }),
        expect.objectContaining({
          ...common,
          detail: { ...detail, status: 'SUCCEEDED', endTimestamp: expect.any(String) },
        }),
      ]),
    );
  });

  test('executions are counted, and measured', async () => {
    await under.startFunctions({ faulty: MINUTE });
    await under.until(await under.begin('faulty'), 'SUCCEEDED');
    const sum = async (MetricName: string) => {
      const { Datapoints } = await under.cloudWatch.send(
        new GetMetricStatisticsCommand({
          ...{ Namespace: 'AWS/Lambda', MetricName, Period: 60, Statistics: ['Sum'] },
          Dimensions: [{ Name: 'FunctionName', Value: 'faulty' }],
          StartTime: new Date(under.clock.now() - 300_000),
          EndTime: new Date(under.clock.now() + 300_000),
        }),
      );
      return Datapoints?.[0]?.Sum;
    };
    await eventually(async () => expect(await sum('DurableExecutionSucceeded')).toBe(1));
    expect(await sum('DurableExecutionStarted')).toBe(1);
    expect(await sum('DurableExecutionOperations')).toBe(1);
    expect(await sum('DurableExecutionFailed')).toBeUndefined();
    // Its start, and a wait or a step.
    expect(under.usage.total('lambda.durableOperations', 'faulty')).toBe(2);
    expect(under.usage.total('lambda.durableBytes', 'faulty')).toBe(await sum('DurableExecutionStorageWrittenBytes'));
  });
});

// https://docs.aws.amazon.com/lambda/latest/dg/durable-invoking-esm.html
describe('event source mappings', () => {
  const orders = { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'orders', VisibilityTimeout: 60 } };
  const mapping = (functionName: string) => ({
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: { FunctionName: arn('lambda', `function:${functionName}`), EventSourceArn: arn('sqs', 'orders') },
  });
  const start = (functionName: string, config = MINUTE) =>
    under.startFunctions({ faulty: config }, { resources: { Orders: orders, M: mapping(functionName) } });

  test('a batch starts an execution, and is handled when that has ended', async () => {
    await start('faulty:$LATEST');
    const QueueUrl = `${under.cloud.host.awsUrl}/000000000000/orders`;
    await under.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{}' }));
    await eventually(async () => expect((await executions('faulty'))[0]?.Status).toBe('SUCCEEDED'));
    expect(await executions('faulty')).toHaveLength(1);
  });

  test.each([
    ['faulty', MINUTE, 'unqualified ARN'],
    ['faulty:$LATEST', { ExecutionTimeout: 901 }, 'greater than 15 minutes'],
  ])('a mapping to %s with %j is refused', async (name, config, message) => {
    await expect(start(name, config)).rejects.toThrow(message);
  });
});

// https://docs.aws.amazon.com/lambda/latest/dg/durable-invoking.html#durable-invoking-qualified-arns
test('a rule starts an execution of its target, if that names a version', async () => {
  await under.startFunctions({ faulty: MINUTE });
  const deliver = (name: string) =>
    under.cloud.host.deliver(arn('lambda', `function:${name}`), '{}', {
      sender: { service: 'events.amazonaws.com', sourceArn: arn('events', 'rule/any') },
    });
  await deliver('faulty:$LATEST');
  await eventually(async () => expect((await executions('faulty'))[0]?.Status).toBe('SUCCEEDED'));
  await expect(deliver('faulty')).rejects.toMatchObject({ code: 'SDK_CLIENT_ERROR', retryable: false });
});
