import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type CloudFormationTemplate, loadStacks } from '@millrace/cloudformation';
import { cloudOptions } from '../../../fixtures/cloud-under-test.ts';
import { ManualClock } from '../../core/clock.ts';
import { Cloud } from '../../core/cloud.ts';
import type { AwsService } from '../../core/service.ts';
import { cloudWatch } from '../cloudwatch/index.ts';
import { events } from '../events/index.ts';
import { inertResourceTypes } from '../inert-types.ts';
import { sns } from '../sns/index.ts';
import { sqs } from '../sqs/index.ts';
import { scheduler } from './index.ts';

type Statement = { Action: string; Resource: unknown };

const arnOf = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });

/** A role that EventBridge Scheduler may assume for schedules of the default group. */
const role = (statements: Statement[], trusted = 'scheduler.amazonaws.com') => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: {
        Effect: 'Allow',
        Principal: { Service: trusted },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'aws:SourceArn': groupArn } },
      },
    },
    Policies: [
      {
        PolicyName: 'target',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: statements.map((statement) => ({ Effect: 'Allow', ...statement })),
        },
      },
    ],
  },
});
const groupArn = 'arn:aws:scheduler:us-east-1:000000000000:schedule-group/default';

const schedule = (ScheduleExpression: string, roleId: string, target: object, members: object = {}) => ({
  Type: 'AWS::Scheduler::Schedule',
  Properties: {
    ScheduleExpression,
    FlexibleTimeWindow: { Mode: 'OFF' },
    Target: { RoleArn: arnOf(roleId), ...target },
    ...members,
  },
});

const queue = (QueueName: string) => ({ Type: 'AWS::SQS::Queue', Properties: { QueueName } });
const template: CloudFormationTemplate = {
  Resources: {
    Jobs: queue('jobs'),
    Closings: queue('closings'),
    Dead: queue('dead'),
    Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'shop' } },
    Closed: {
      Type: 'AWS::Events::Rule',
      Properties: {
        EventBusName: { Ref: 'Bus' },
        EventPattern: { source: ['shop.clock'] },
        Targets: [{ Id: 'q', Arn: arnOf('Closings') }],
      },
    },
    ClosingsPolicy: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [{ Ref: 'Closings' }],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: {
            Effect: 'Allow',
            Principal: { Service: ['events.amazonaws.com', 'sns.amazonaws.com'] },
            Action: 'sqs:SendMessage',
            Resource: arnOf('Closings'),
          },
        },
      },
    },
    Worker: role([
      { Action: 'sqs:SendMessage', Resource: arnOf('Jobs') },
      { Action: 'sqs:SendMessage', Resource: arnOf('Dead') },
    ]),
    Closer: role([{ Action: 'events:PutEvents', Resource: arnOf('Bus') }]),
    Hourly: schedule('rate(1 hour)', 'Worker', { Arn: arnOf('Jobs'), Input: '"hourly"' }),
    // 18:00 in Berlin is 16:00 UTC in June.
    Evening: schedule(
      'cron(0 18 * * ? *)',
      'Closer',
      {
        Arn: arnOf('Bus'),
        Input: '{"shop":"berlin"}',
        EventBridgeParameters: { Source: 'shop.clock', DetailType: 'ShopClosed' },
      },
      { ScheduleExpressionTimezone: 'Europe/Berlin' },
    ),
    Once: schedule('at(2026-06-01T20:30:00)', 'Worker', {
      Arn: 'arn:aws:scheduler:::aws-sdk:sqs:sendMessage',
      Input: { 'Fn::Join': ['', ['{"QueueUrl":"', { Ref: 'Jobs' }, '","MessageBody":"once"}']] },
    }),
    Forbidden: schedule('at(2026-06-01T10:30:00)', 'Worker', {
      Arn: arnOf('Closings'),
      Input: '"not allowed"',
      DeadLetterConfig: { Arn: arnOf('Dead') },
    }),
  } as never,
};

interface ReceivedMessage {
  Body: string;
  ReceiptHandle: string;
  MessageAttributes?: Record<string, { StringValue: string }>;
}

let dataDirectory: string;
let warnings: string[];
beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'scheduler-'));
  warnings = [];
});
afterEach(() => rmSync(dataDirectory, { recursive: true }));

async function start(now: string, deployed = template) {
  const clock = new ManualClock(new Date(now));
  const options = cloudOptions({ clock, dataDirectory, warn: (line) => warnings.push(line) });
  const cloud = new Cloud([sqs, sns, cloudWatch, events, scheduler] as AwsService[], options, inertResourceTypes);
  await cloud.start();
  const { resourceTypes } = cloud;
  const { stacks } = loadStacks([{ stackName: 'shop', template: deployed }], { ...options, resourceTypes });
  try {
    await cloud.deploy(stacks);
  } catch (error) {
    await cloud[Symbol.asyncDispose]();
    throw error;
  }
  const { api } = cloud.host.handleOf(sqs);
  /** Takes up to ten messages off a queue. */
  const take = async (name: string) => {
    const QueueUrl = `${options.awsUrl}/000000000000/${name}`;
    const { Messages = [] } = (await api.call('ReceiveMessage', {
      QueueUrl,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ['All'],
    })) as { Messages?: ReceivedMessage[] };
    for (const { ReceiptHandle } of Messages) await api.call('DeleteMessage', { QueueUrl, ReceiptHandle });
    return Messages;
  };
  const bodies = async (name: string) => (await take(name)).map(({ Body }) => Body);
  return { clock, cloud, take, bodies, [Symbol.asyncDispose]: () => cloud[Symbol.asyncDispose]() };
}

it('schedules of a template reach queues, buses and universal targets with their roles, over a restart', async () => {
  {
    await using first = await start('2026-06-01T08:00:00Z');
    await first.clock.set(new Date('2026-06-01T17:15:00Z'));
    // A rate counts from when it was created.
    expect(await first.bodies('jobs')).toEqual(Array.from({ length: 10 }, () => '"hourly"'));
    const [closed, ...others] = (await first.bodies('closings')).map((body) => JSON.parse(body));
    expect(others).toEqual([]);
    expect(closed).toMatchObject({
      source: 'shop.clock',
      'detail-type': 'ShopClosed',
      time: '2026-06-01T16:00:00Z',
      detail: { shop: 'berlin' },
    });
    const [dead] = await first.take('dead');
    expect(dead?.Body).toBe('"not allowed"');
    expect(dead?.MessageAttributes).toMatchObject({
      ERROR_CODE: { StringValue: expect.stringMatching(/^AccessDenied/) },
      RETRY_ATTEMPTS: { StringValue: '0' },
    });
    expect(first.cloud.refusals()).toMatchObject([{ action: 'sqs:SendMessage' }]);
  }
  await using second = await start('2026-06-01T20:15:00Z');
  await second.clock.set(new Date('2026-06-01T21:05:00Z'));
  // Of the times that were missed the last one is made up for, then the clock goes on where it was.
  expect((await second.bodies('jobs')).toSorted()).toEqual(['"hourly"', '"hourly"', 'once']);
});

it('a topic is a target, too', async () => {
  const { Closings, ClosingsPolicy } = template.Resources ?? {};
  const Topic = { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'news' } };
  const TopicArn = { Ref: 'Topic' };
  const Properties = { TopicArn, Protocol: 'sqs', Endpoint: arnOf('Closings'), RawMessageDelivery: true };
  const Subscription = { Type: 'AWS::SNS::Subscription', Properties };
  const Reporter = role([{ Action: 'sns:Publish', Resource: TopicArn }]);
  const News = schedule('at(2026-06-01T09:00:00)', 'Reporter', { Arn: TopicArn, Input: 'news' });
  const Resources = { Closings, ClosingsPolicy, Topic, Subscription, Reporter, News };
  await using started = await start('2026-06-01T08:00:00Z', { Resources: Resources as never });
  await started.clock.set(new Date('2026-06-01T09:00:30Z'));
  expect(await started.bodies('closings')).toEqual(['news']);
});

it('a schedule whose role does not let the scheduler in is an error of the template', async () => {
  const Worker = role([], 'events.amazonaws.com');
  const { Jobs, Hourly } = template.Resources ?? {};
  await expect(start('2026-06-01T08:00:00Z', { Resources: { Jobs, Worker, Hourly } as never })).rejects.toThrow(
    'Stack shop, Resources.Hourly: The execution role you provide must allow AWS EventBridge Scheduler to assume the role.',
  );
});
