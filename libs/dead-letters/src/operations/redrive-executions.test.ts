import { GetDurableExecutionCommand, InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AwsError, DescribeExecutionCommand, RedriveExecutionCommand, type StepFunctions } from '@millrace/aws';
import { intercepted, type LocalSqs, startLocalSqs } from '../../fixtures/local-sqs.ts';
import type { DrainSummary } from './drain.ts';
import type { Operation } from './redrive.ts';
import { isExecutionQueue, redriveExecutions } from './redrive-executions.ts';
import { StageQueues } from './stage-queues.ts';

let sqs: LocalSqs;
let queueName: string;
let queues = 0;
beforeAll(async () => {
  sqs = await startLocalSqs();
});
afterAll(() => sqs.stop());
beforeEach(async () => {
  queues += 1;
  queueName = `millrace-shop${queues}-dev-executions-dlq`;
  await sqs.createQueue(queueName);
});

const arnOf = (name: string) => `arn:aws:states:us-east-1:000000000000:execution:millrace-shop-dev:${name}`;
const letter = (name: string) =>
  JSON.stringify({ executionArn: arnOf(name), status: 'FAILED', time: '2026-01-01T00:00:00Z' });

/** Step Functions with one answer for every execution. */
function states(
  description: object | Error = { status: 'FAILED', redriveStatus: 'REDRIVABLE' },
  redriven: object | Error = {},
) {
  const resumed: string[] = [];
  const answer = (value: object | Error) => {
    if (value instanceof Error) throw value;
    return value;
  };
  const client = {
    send: async (command: unknown) => {
      if (command instanceof DescribeExecutionCommand) return answer(description);
      if (!(command instanceof RedriveExecutionCommand)) throw new Error('not expected');
      answer(redriven);
      resumed.push(String(command.input.executionArn));
      return {};
    },
  } as StepFunctions;
  return { client, resumed };
}

/** Lambda with one answer for every durable execution. */
function durable(description: object | Error) {
  const started: { FunctionName: string | undefined; DurableExecutionName: string | undefined; input: object }[] = [];
  const send = async (command: unknown) => {
    if (description instanceof Error) throw description;
    if (command instanceof GetDurableExecutionCommand) return description;
    if (!(command instanceof InvokeCommand)) throw new Error('not expected');
    const { FunctionName, DurableExecutionName, Payload } = command.input;
    started.push({
      FunctionName,
      DurableExecutionName,
      input: JSON.parse(Buffer.from(Payload as Uint8Array).toString()),
    });
    return {};
  };
  return { client: { send } as unknown as LambdaClient, started };
}

async function runDurable(client: LambdaClient, changes: Partial<Operation> = {}): Promise<DrainSummary> {
  return run({ send: async () => Promise.reject(new Error('not expected')) } as StepFunctions, changes, client);
}

async function run(
  client: StepFunctions,
  changes: Partial<Operation> = {},
  lambda = {} as LambdaClient,
): Promise<DrainSummary> {
  const stage = await StageQueues.load(sqs.client, 'dev');
  const queue = stage.find(queueName);
  return redriveExecutions(
    { sqs: sqs.client, queues: stage, queue, select: () => true, startedAt: new Date(), ...changes },
    { states: client, lambda },
  );
}

const left = async () => (await sqs.contents(queueName)).ready.length;

test('the queue of executions is known by its name, and that of their rule is another one', () => {
  expect(isExecutionQueue({ name: 'millrace-checkout-dev-executions-dlq' }, 'dev')).toBe(true);
  expect(isExecutionQueue({ name: 'millrace-checkout-dev-executions-rule-dlq' }, 'dev')).toBe(false);
});

describe('a letter about an execution', () => {
  test('resumes it, and is gone', async () => {
    await sqs.send(queueName, [{ body: letter('a') }, { body: letter('b') }]);
    const { client, resumed } = states();

    const summary = await run(client);

    expect(resumed.sort()).toEqual([arnOf('a'), arnOf('b')]);
    expect(summary.outcomes).toEqual([{ text: 'resumed, as an execution of millrace-shop-dev', count: 2 }]);
    expect(await left()).toBe(0);
  });

  test('as the event that a rule could not deliver resumes it as well', async () => {
    const body = JSON.stringify({ source: 'aws.states', detail: { executionArn: arnOf('a'), status: 'FAILED' } });
    await sqs.send(queueName, [{ body }]);
    const { client, resumed } = states();
    expect(await run(client)).toMatchObject({ done: 1 });
    expect(resumed).toEqual([arnOf('a')]);
  });

  test('as a dry run resumes nothing and stays', async () => {
    await sqs.send(queueName, [{ body: letter('a') }]);
    const { client, resumed } = states();
    const { outcomes } = await run(client, { dryRun: true });
    expect(outcomes).toEqual([{ text: 'would be resumed, as an execution of millrace-shop-dev', count: 1 }]);
    expect(resumed).toEqual([]);
    expect(await left()).toBe(1);
  });

  test.each(['RUNNING', 'PENDING_REDRIVE', 'SUCCEEDED'])('is gone when the execution is %s again', async (status) => {
    await sqs.send(queueName, [{ body: letter('a') }]);
    const { client, resumed } = states({ status, redriveStatus: 'NOT_REDRIVABLE' });
    expect(await run(client)).toMatchObject({ done: 1 });
    expect(resumed).toEqual([]);
    expect(await left()).toBe(0);
  });

  test.each([
    [
      'cannot be resumed any more',
      states({ status: 'FAILED', redriveStatus: 'NOT_REDRIVABLE', redriveStatusReason: 'it is too old' }),
      'left: it cannot be resumed: it is too old',
    ],
    [
      'went on in the meantime',
      states(undefined, new AwsError('ExecutionNotRedrivable', { message: 'it is RUNNING' })),
      'left: it cannot be resumed: it is RUNNING',
    ],
    [
      'is forgotten',
      states(new AwsError('ExecutionDoesNotExist', {})),
      'left: Step Functions has forgotten the execution',
    ],
    [
      'may not be asked for',
      states(new AwsError('AccessDeniedException', { message: 'no permission' })),
      'left: Step Functions did not answer: no permission',
    ],
  ])('stays when the execution %s', async (_, { client }, text) => {
    await sqs.send(queueName, [{ body: letter('a') }]);
    const { outcomes } = await run(client);
    expect(outcomes).toEqual([{ text, count: 1 }]);
    expect(await left()).toBe(1);
  });

  test('that could not be deleted is deleted by the next run, which does not resume the execution again', async () => {
    await sqs.send(queueName, [{ body: letter('a') }]);
    const dying = intercepted(sqs.client, async ({ constructor: { name } }, proceed) => {
      if (name === 'DeleteMessageBatchCommand') throw new Error('killed');
      return proceed();
    });
    const { client, resumed } = states();
    expect(await run(client, { sqs: dying })).toMatchObject({ done: 0, failed: 1 });
    expect(resumed).toEqual([arnOf('a')]);
    expect(await left()).toBe(1);

    const after = states({ status: 'RUNNING', redriveStatus: 'NOT_REDRIVABLE' });
    expect(await run(after.client)).toMatchObject({ done: 1 });
    expect(after.resumed).toEqual([]);
    expect(await left()).toBe(0);
  });

  test('that does not name an execution stays', async () => {
    await sqs.send(queueName, [{ body: 'not JSON' }, { body: '{"executionArn":"arn:aws:states:x"}' }]);
    expect(await run(states().client)).toMatchObject({
      left: 2,
      outcomes: [{ text: 'left: it does not name an execution' }],
    });
  });
});

describe('a letter about an execution of a durable function', () => {
  const executionArn =
    'arn:aws:lambda:us-east-1:000000000000:function:millrace-shop-dev-durableShop:7/durable-execution/order-1/0b9f';
  const stopped = {
    ...{ Status: 'FAILED', DurableExecutionName: 'order-1', InputPayload: '{"order":"order-1"}' },
    Error: { ErrorType: 'StepUnavailable', ErrorData: '{"at":"ConfirmOrder"}' },
  };
  const body = JSON.stringify({ executionArn, status: 'FAILED', time: '2026-01-01T00:00:00Z' });

  test('starts the one that goes on in its place, once', async () => {
    await sqs.send(queueName, [{ body }]);
    const { client, started } = durable(stopped);

    const { outcomes } = await runDurable(client);

    expect(outcomes).toEqual([{ text: 'resumed, as another execution of millrace-shop-dev-durableShop', count: 1 }]);
    expect(started).toEqual([
      {
        ...{ FunctionName: 'millrace-shop-dev-durableShop:durable', DurableExecutionName: 'order-1-1' },
        input: { order: 'order-1', resume: { at: 'ConfirmOrder', count: 1 } },
      },
    ]);
    expect(await left()).toBe(0);
  });

  test('as the event that a rule could not deliver does so as well', async () => {
    const detail = { durableExecutionArn: executionArn, status: 'FAILED' };
    await sqs.send(queueName, [{ body: JSON.stringify({ source: 'aws.lambda', detail }) }]);
    const { client, started } = durable(stopped);
    expect(await runDurable(client)).toMatchObject({ done: 1 });
    expect(started).toHaveLength(1);
  });

  test('as a dry run starts nothing and stays', async () => {
    await sqs.send(queueName, [{ body }]);
    const { client, started } = durable(stopped);
    expect(await runDurable(client, { dryRun: true })).toMatchObject({ done: 1 });
    expect(started).toEqual([]);
    expect(await left()).toBe(1);
  });

  test('is gone when the execution has not stopped', async () => {
    await sqs.send(queueName, [{ body }]);
    const { client, started } = durable({ ...stopped, Status: 'SUCCEEDED' });
    expect(await runDurable(client)).toMatchObject({ done: 1 });
    expect(started).toEqual([]);
    expect(await left()).toBe(0);
  });

  test('stays when Lambda does not know the execution any more', async () => {
    await sqs.send(queueName, [{ body }]);
    const { client } = durable(Object.assign(new Error('not found'), { name: 'ResourceNotFoundException' }));
    expect((await runDurable(client)).outcomes).toEqual([
      { text: 'left: Lambda has forgotten the execution, or the function is gone', count: 1 },
    ]);
    expect(await left()).toBe(1);
  });
});
