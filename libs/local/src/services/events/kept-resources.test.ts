import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { CloudFormationTemplate } from '@millrace/cloudformation';
import { type EventsCloud, eventsCloud } from '../../../fixtures/events-cloud.ts';
import { ManualClock } from '../../core/clock.ts';

const minute = 60_000;
const arn = (resource: string) => `arn:aws:events:us-east-1:000000000000:${resource}`;
const queue = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;

let dataDirectory: string;
let clock: ManualClock;
let cloud: EventsCloud;
let warnings: string[];

beforeEach(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'millrace-events-'));
  clock = new ManualClock(Date.parse('2026-03-01T10:00:00Z'));
  warnings = [];
  cloud = await start();
});
afterEach(async () => {
  await cloud[Symbol.asyncDispose]();
  await rm(dataDirectory, { recursive: true });
});

const start = (resources?: CloudFormationTemplate['Resources']) =>
  eventsCloud(resources, { dataDirectory, clock, warn: (line) => warnings.push(line) });

async function restart(resources?: CloudFormationTemplate['Resources']): Promise<void> {
  await cloud[Symbol.asyncDispose]();
  cloud = await start(resources);
}

const shop = { Type: 'AWS::Events::EventBus', Properties: { Name: 'shop' } };
const Policy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Sid: 's', Effect: 'Allow', Principal: '*', Action: 'events:PutEvents', Resource: arn('event-bus/shop') },
  ],
});

test('what callers of the API have created is there after a restart', async () => {
  await cloud.call('CreateEventBus', { Name: 'shop', Description: 'd' });
  await cloud.call('PutPermission', { EventBusName: 'shop', Policy });
  await cloud.call('PutRule', { Name: 'r', EventBusName: 'shop', EventPattern: '{"source":["s"]}', State: 'DISABLED' });
  const Targets = [{ Id: 'q', Arn: queue('q'), InputPath: '$.detail', RetryPolicy: { MaximumRetryAttempts: 3 } }];
  await cloud.call('PutTargets', { Rule: 'r', EventBusName: 'shop', Targets });
  await cloud.call('CreateArchive', { ArchiveName: 'a', EventSourceArn: arn('event-bus/shop'), RetentionDays: 3 });
  const AuthParameters = { BasicAuthParameters: { Username: 'u', Password: 'p' } };
  const { ConnectionArn } = await cloud.call('CreateConnection', {
    ...{ Name: 'c', AuthorizationType: 'BASIC', AuthParameters },
  });
  await cloud.call('CreateApiDestination', {
    ...{ Name: 'h', ConnectionArn, HttpMethod: 'PUT', InvocationEndpoint: 'https://example.com/' },
  });
  const look = async () => ({
    bus: await cloud.call('DescribeEventBus', { Name: 'shop' }),
    rules: await cloud.call('ListRules', { EventBusName: 'shop' }),
    targets: await cloud.call('ListTargetsByRule', { Rule: 'r', EventBusName: 'shop' }),
    archive: await cloud.call('DescribeArchive', { ArchiveName: 'a' }),
    connection: await cloud.call('DescribeConnection', { Name: 'c' }),
    destination: await cloud.call('DescribeApiDestination', { Name: 'h' }),
  });
  const before = await look();
  await restart();
  expect(await look()).toEqual(before);
  expect(warnings).toEqual([]);
});

test('what they have deleted is not there after a restart', async () => {
  await cloud.call('PutRule', { Name: 'r', EventPattern: '{"source":["s"]}' });
  await cloud.call('DeleteRule', { Name: 'r' });
  await cloud.call('CreateEventBus', { Name: 'shop' });
  await cloud.call('DeleteEventBus', { Name: 'shop' });
  await restart();
  expect(await cloud.call('ListRules', {})).toEqual({ Rules: [] });
  expect((await cloud.call('ListEventBuses', {})).EventBuses).toHaveLength(1);
});

test('a schedule goes on as it was', async () => {
  await cloud.call('PutRule', { Name: 'tick', ScheduleExpression: 'rate(10 minutes)' });
  await cloud.call('PutTargets', { Rule: 'tick', Targets: [{ Id: 'q', Arn: queue('ticks') }] });
  await clock.advance(7 * minute);
  await restart();
  await clock.advance(3 * minute);
  expect(cloud.received('ticks').map((body) => JSON.parse(body).time)).toEqual(['2026-03-01T10:10:00Z']);
});

test('what a template has is created by the template alone', async () => {
  const declared = {
    Shop: shop,
    Rule: {
      Type: 'AWS::Events::Rule',
      Properties: { Name: 'r', EventBusName: { Ref: 'Shop' }, EventPattern: { source: ['s'] } },
    },
  };
  await restart(declared);
  await cloud.call('PutRule', { Name: 'own', EventBusName: 'shop', EventPattern: '{"source":["own"]}' });
  const names = async () =>
    ((await cloud.call('ListRules', { EventBusName: 'shop' })).Rules as { Name: string }[]).map(({ Name }) => Name);
  await restart(declared);
  expect(await names()).toEqual(['own', 'r']);
  await restart({ Shop: shop });
  expect(await names()).toEqual(['own']);
  await restart();
  await expect(names()).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  expect(warnings).toEqual(['The rule shop/own of an earlier start is lost: Event bus shop does not exist.']);
});

test('a template takes the place of what a caller has created under the same name', async () => {
  await cloud.call('CreateEventBus', { Name: 'shop', Description: 'own' });
  await cloud.call('PutRule', { Name: 'own', EventBusName: 'shop', EventPattern: '{"source":["own"]}' });
  await restart({ Shop: shop });
  expect(await cloud.call('DescribeEventBus', { Name: 'shop' })).not.toHaveProperty('Description', 'own');
  expect(await cloud.call('DescribeRule', { Name: 'own', EventBusName: 'shop' })).toMatchObject({ State: 'ENABLED' });
});
