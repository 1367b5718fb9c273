import * as sdk from '@aws-sdk/client-sfn';
import { expect, test } from '@jest/globals';
import { bodyOf, both, ours, theirs } from '../fixtures/recorded-clients.ts';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  RedriveExecutionCommand,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  stepFunctions,
} from './index.ts';

const executionArn = 'arn:aws:states:eu-central-1:123456789012:execution:checkout:1';

test.each([
  [
    'StartExecution',
    both(StartExecutionCommand, sdk.StartExecutionCommand, { stateMachineArn: 'arn', name: 'ä', input: '{}' }),
  ],
  ['DescribeExecution', both(DescribeExecutionCommand, sdk.DescribeExecutionCommand, { executionArn })],
  [
    'GetExecutionHistory',
    both(GetExecutionHistoryCommand, sdk.GetExecutionHistoryCommand, {
      ...{ executionArn, maxResults: 1000, includeExecutionData: false, nextToken: undefined },
    }),
  ],
  [
    'RedriveExecution',
    both(RedriveExecutionCommand, sdk.RedriveExecutionCommand, { executionArn, clientToken: 'token' }),
  ],
  ['SendTaskSuccess', both(SendTaskSuccessCommand, sdk.SendTaskSuccessCommand, { taskToken: 'token', output: '{}' })],
  ['SendTaskFailure', both(SendTaskFailureCommand, sdk.SendTaskFailureCommand, { taskToken: 'token', error: 'No' })],
])("%s has the SDK's request", async (_, command) => {
  const [recorded, expected] = [ours(), theirs()];
  await command.our(stepFunctions(recorded.options));
  await command.their(new sdk.SFNClient(expected.options));

  const [our, their] = [recorded.sent[0], expected.sent[0]];
  expect(bodyOf(our)).toEqual(bodyOf(their));
  expect(our?.hostname).toBe(their?.hostname);
  for (const name of ['x-amz-target', 'content-type']) expect(our?.headers[name]).toBe(their?.headers[name]);
});

test('times of an answer are dates', async () => {
  const answering = (answer: object) => stepFunctions(ours({ body: JSON.stringify(answer) }).options);
  const events = [{ id: 1, type: 'ExecutionStarted', timestamp: 1_796_000_000.123 }];
  const history = await answering({ events }).send(new GetExecutionHistoryCommand({ executionArn }));
  expect(history.events).toEqual([{ id: 1, type: 'ExecutionStarted', timestamp: new Date(1_796_000_000_123) }]);

  const described = answering({ startDate: 1_796_000_000, status: 'RUNNING' });
  expect(await described.send(new DescribeExecutionCommand({ executionArn }))).toEqual({
    ...{ startDate: new Date(1_796_000_000_000), status: 'RUNNING' },
  });
});
