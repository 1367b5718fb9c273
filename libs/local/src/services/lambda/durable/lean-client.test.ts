import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  CheckpointDurableExecutionCommand,
  GetDurableExecutionCommand,
  GetDurableExecutionStateCommand,
  InvokeCommand,
  type Lambda,
  ListDurableExecutionsByFunctionCommand,
  lambda,
  paginateDurableExecutionHistory,
  SendDurableExecutionCallbackFailureCommand,
  SendDurableExecutionCallbackHeartbeatCommand,
  SendDurableExecutionCallbackSuccessCommand,
  StopDurableExecutionCommand,
} from '@millrace/aws';
import { DurableUnderTest } from '../../../../fixtures/durable-under-test.ts';

/** The client of @millrace/aws, over HTTP, as functions use it. */
let client: Lambda;
let under: DurableUnderTest;
beforeEach(async () => {
  under = new DurableUnderTest();
  await under.startFunctions({ scripted: { ExecutionTimeout: 3600 }, plain: undefined });
  client = lambda({
    endpoint: under.cloud.host.awsUrl,
    region: 'us-east-1',
    credentials: { accessKeyId: 'operator', secretAccessKey: 'local' },
  });
});
afterEach(() => under[Symbol.asyncDispose]());

const start = async (DurableExecutionName: string, Payload = '{}') => {
  const request = { FunctionName: 'scripted:$LATEST', InvocationType: 'Event', DurableExecutionName, Payload } as const;
  const { DurableExecutionArn = '', StatusCode } = await client.send(new InvokeCommand(request));
  expect(StatusCode).toBe(202);
  return DurableExecutionArn;
};

/** Starts an execution that waits for a callback. */
async function open(name: string) {
  const arn = await start(name);
  const { DurableExecutionArn, CheckpointToken } = await under.invocation(1, arn);
  const execution = { DurableExecutionArn, CheckpointToken };
  await client.send(new GetDurableExecutionStateCommand({ ...execution, MaxItems: 10 }));
  const { NewExecutionState } = await client.send(
    new CheckpointDurableExecutionCommand({
      ...execution,
      Updates: [{ Id: 'cb', Name: 'answer', Type: 'CALLBACK', Action: 'START' }],
    }),
  );
  const CallbackId = NewExecutionState?.Operations?.[0]?.CallbackDetails?.CallbackId ?? '';
  return { arn, CallbackId };
}

test('a function that returns and one that fails are told apart', async () => {
  const send = (Payload: string) => client.send(new InvokeCommand({ FunctionName: 'plain', Payload }));
  const { Payload, ...output } = await send('{"ä":1}');
  expect(output).toEqual({ StatusCode: 200, ExecutedVersion: '$LATEST' });
  expect(JSON.parse(String(Payload))).toEqual({ plain: { ä: 1 } });

  const failed = await send('{"fail":"a bug"}');
  expect(failed.FunctionError).toBe('Unhandled');
  expect(JSON.parse(String(failed.Payload))).toMatchObject({ errorType: 'TypeError', errorMessage: 'a bug' });
});

test('a durable execution starts once, and is found by its name, with its history', async () => {
  const arn = await start('order-1');
  expect(await start('order-1')).toBe(arn);
  await expect(start('order-1', '{"other":true}')).rejects.toMatchObject({
    name: 'DurableExecutionAlreadyStartedException',
  });
  await start('order-2');

  const filter = { DurableExecutionName: 'order-1', Statuses: ['RUNNING', 'FAILED'] as const };
  const { DurableExecutions } = await client.send(
    new ListDurableExecutionsByFunctionCommand({ FunctionName: 'scripted', ...filter, Statuses: [...filter.Statuses] }),
  );
  expect(DurableExecutions).toEqual([expect.objectContaining({ DurableExecutionArn: arn, Status: 'RUNNING' })]);
  const described = await client.send(new GetDurableExecutionCommand({ DurableExecutionArn: arn }));
  expect(described).toMatchObject({ DurableExecutionName: 'order-1', StartTimestamp: expect.any(Date) });

  const stopped = await client.send(
    new StopDurableExecutionCommand({ DurableExecutionArn: arn, Error: { ErrorType: 'Stopped' } }),
  );
  expect(stopped.StopTimestamp).toBeInstanceOf(Date);
  const types: unknown[] = [];
  const history = { DurableExecutionArn: arn, IncludeExecutionData: false, MaxItems: 1 };
  for await (const { Events = [] } of paginateDurableExecutionHistory(client, history)) {
    types.push(...Events.map(({ EventType }) => EventType));
  }
  expect(types).toEqual(await under.events(arn));
});

test('a callback gets its heartbeat and its answer, and waits for no second one', async () => {
  const succeeded = await open('success');
  const callback = { CallbackId: succeeded.CallbackId };
  await client.send(new SendDurableExecutionCallbackHeartbeatCommand(callback));
  await client.send(new SendDurableExecutionCallbackSuccessCommand({ ...callback, Result: Buffer.from('"é"') }));
  await expect(client.send(new SendDurableExecutionCallbackSuccessCommand(callback))).rejects.toMatchObject({
    name: 'CallbackTimeoutException',
  });

  const failed = await open('failure');
  await client.send(
    new SendDurableExecutionCallbackFailureCommand({ CallbackId: failed.CallbackId, Error: { ErrorType: 'Refused' } }),
  );
  expect(await under.events(succeeded.arn)).toContain('CallbackSucceeded');
  expect(await under.events(failed.arn)).toContain('CallbackFailed');
});

test('the SDK of durable functions reads and stores their state by it', async () => {
  await using lean = new DurableUnderTest();
  const DurableConfig = { ExecutionTimeout: 7_200 };
  await lean.start(
    { lean: lean.fn('lean', { Handler: 'code.lean', Timeout: 60, DurableConfig }) },
    {
      entryPoint: fileURLToPath(new URL('../../../../fixtures/durable/lean.ts', import.meta.url)),
      alias: { '@aws-sdk/client-lambda': '@millrace/aws/lambda-client' },
    },
  );
  const arn = await lean.begin('lean', { order: 'order-1' });
  await lean.untilEvent(arn, 'InvocationCompleted');
  expect(await lean.events(arn)).toContain('WaitStarted');
  await lean.clock.advance(3_600_000);
  const { Result = '' } = await lean.until(arn, 'SUCCEEDED');
  expect(JSON.parse(Result)).toEqual({ reserved: 'reserved order-1' });
});
