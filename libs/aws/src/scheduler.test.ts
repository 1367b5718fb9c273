import * as sdk from '@aws-sdk/client-scheduler';
import { expect, test } from '@jest/globals';
import { CreateScheduleCommand, DeleteScheduleCommand, scheduler } from './index.ts';
import type { HttpRequest } from './transport.ts';

const settings = { region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 's' } };
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
  ['CreateSchedule', CreateScheduleCommand, sdk.CreateScheduleCommand, schedule],
  ['DeleteSchedule', DeleteScheduleCommand, sdk.DeleteScheduleCommand, { Name, GroupName, ClientToken }],
] as const)("%s has the SDK's request", async (_, Ours, Theirs, input) => {
  const ours: HttpRequest[] = [];
  const client = scheduler({
    ...settings,
    transport: async (request) => {
      ours.push(request);
      return { statusCode: 200, headers: {}, body: '{}' };
    },
  });
  // biome-ignore lint/suspicious/noExplicitAny: each row of the table pairs a command with its own type of input
  await client.send(new (Ours as any)(input));
  const theirs: (Pick<HttpRequest, 'method' | 'hostname' | 'path' | 'headers'> & {
    query: Record<string, string>;
    body?: Uint8Array;
  })[] = [];
  const requestHandler = {
    handle: async (request: (typeof theirs)[number]) => {
      theirs.push(request);
      return { response: { statusCode: 200, headers: {}, body: Buffer.from('{}') } };
    },
  };
  const theirClient = new sdk.SchedulerClient({ ...settings, requestHandler: requestHandler as never });
  // biome-ignore lint/suspicious/noExplicitAny: the SDK's commands, too, have different inputs
  await theirClient.send(new (Theirs as any)(input));

  const [our, their] = [ours[0], theirs[0]];
  if (!our || !their) throw new Error('nothing was sent');
  const url = new URL(our.path, 'https://scheduler');
  expect([our.method, our.hostname, url.pathname]).toEqual([their.method, their.hostname, their.path]);
  expect(Object.fromEntries(url.searchParams)).toEqual(their.query);
  expect(our.headers['content-type']).toBe(their.headers['content-type']);
  const { buffer, byteOffset, byteLength } = their.body ?? Buffer.alloc(0);
  const body = Buffer.from(buffer, byteOffset, byteLength).toString();
  expect(JSON.parse(String(our.body || null))).toEqual(JSON.parse(body || 'null'));
});
