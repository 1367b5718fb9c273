import * as sdk from '@aws-sdk/client-scheduler';
import { expect, test } from '@jest/globals';
import { both, ours, theirs } from '../fixtures/recorded-clients.ts';
import { CreateScheduleCommand, DeleteScheduleCommand, scheduler } from './index.ts';
import { textOf } from './protocol.ts';

const schedule = {
  Name: 'order_1.ä',
  GroupName: 'group',
  ClientToken: 'token',
  ScheduleExpression: 'at(2026-01-15T09:45:01)',
  FlexibleTimeWindow: { Mode: 'OFF' },
  ActionAfterCompletion: 'DELETE',
  Target: { Arn: 'bus', RoleArn: 'role', EventBridgeParameters: { Source: 's', DetailType: 'd' }, Input: '{"ä":1}' },
} as const;
const { Name, GroupName, ClientToken } = schedule;

test.each([
  ['CreateSchedule', both(CreateScheduleCommand, sdk.CreateScheduleCommand, schedule)],
  ['DeleteSchedule', both(DeleteScheduleCommand, sdk.DeleteScheduleCommand, { Name, GroupName, ClientToken })],
])("%s has the SDK's request", async (_, command) => {
  const [recorded, expected] = [ours(), theirs()];
  await command.our(scheduler(recorded.options));
  await command.their(new sdk.SchedulerClient(expected.options));

  const [our, their] = [recorded.sent[0], expected.sent[0]];
  if (!our || !their) throw new Error('nothing was sent');
  const url = new URL(our.path, 'https://scheduler');
  expect([our.method, our.hostname, url.pathname]).toEqual([their.method, their.hostname, their.path]);
  expect(Object.fromEntries(url.searchParams)).toEqual(their.query);
  expect(our.headers['content-type']).toBe(their.headers['content-type']);
  expect(JSON.parse(textOf(our.body) || 'null')).toEqual(JSON.parse(textOf(their.body ?? '') || 'null'));
});
