import * as sdk from '@aws-sdk/client-sfn';
import { expect, test } from '@jest/globals';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  RedriveExecutionCommand,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  stepFunctions,
} from './index.ts';
import type { HttpRequest } from './transport.ts';

const settings = { region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 's' } };
const executionArn = 'arn:aws:states:eu-central-1:123456789012:execution:checkout:1';

/** Our client, which gets this answer, and what it sends. */
function ours(answer: object = {}) {
  const sent: HttpRequest[] = [];
  const client = stepFunctions({
    ...settings,
    transport: async (request) => {
      sent.push(request);
      return { statusCode: 200, headers: {}, body: Buffer.from(JSON.stringify(answer)) };
    },
  });
  return { client, sent };
}

test.each([
  [
    'StartExecution',
    StartExecutionCommand,
    sdk.StartExecutionCommand,
    { stateMachineArn: 'arn', name: 'ä', input: '{}' },
  ],
  ['DescribeExecution', DescribeExecutionCommand, sdk.DescribeExecutionCommand, { executionArn }],
  [
    'GetExecutionHistory',
    GetExecutionHistoryCommand,
    sdk.GetExecutionHistoryCommand,
    { executionArn, maxResults: 1000, includeExecutionData: false, nextToken: undefined },
  ],
  ['RedriveExecution', RedriveExecutionCommand, sdk.RedriveExecutionCommand, { executionArn, clientToken: 'token' }],
  ['SendTaskSuccess', SendTaskSuccessCommand, sdk.SendTaskSuccessCommand, { taskToken: 'token', output: '{}' }],
  ['SendTaskFailure', SendTaskFailureCommand, sdk.SendTaskFailureCommand, { taskToken: 'token', error: 'No' }],
] as const)("%s has the SDK's request", async (_, Ours, Theirs, input) => {
  const { client, sent } = ours();
  // biome-ignore lint/suspicious/noExplicitAny: each row of the table pairs a command with its own type of input
  await client.send(new (Ours as any)(input));
  const theirs: { headers: Record<string, string>; body: string; hostname: string }[] = [];
  const requestHandler = {
    handle: async (request: (typeof theirs)[number]) => {
      theirs.push(request);
      return { response: { statusCode: 200, headers: {}, body: Buffer.from('{}') } };
    },
  };
  const theirClient = new sdk.SFNClient({ ...settings, requestHandler: requestHandler as never });
  // biome-ignore lint/suspicious/noExplicitAny: the SDK's commands, too, have different inputs
  await theirClient.send(new (Theirs as any)(input));

  const [our, their] = [sent[0], theirs[0]];
  expect(JSON.parse(String(our?.body))).toEqual(JSON.parse(String(their?.body)));
  expect(our?.hostname).toBe(their?.hostname);
  for (const name of ['x-amz-target', 'content-type']) expect(our?.headers[name]).toBe(their?.headers[name]);
});

test('times of an answer are dates', async () => {
  const { client } = ours({ events: [{ id: 1, type: 'ExecutionStarted', timestamp: 1_796_000_000.123 }] });
  const { events } = await client.send(new GetExecutionHistoryCommand({ executionArn }));
  expect(events).toEqual([{ id: 1, type: 'ExecutionStarted', timestamp: new Date(1_796_000_000_123) }]);

  const described = ours({ startDate: 1_796_000_000, status: 'RUNNING' }).client;
  expect(await described.send(new DescribeExecutionCommand({ executionArn }))).toEqual({
    ...{ startDate: new Date(1_796_000_000_000), status: 'RUNNING' },
  });
});
