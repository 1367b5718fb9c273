import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type CloudFormationTemplate, loadStacks } from '@millrace/cloudformation';
import { cloudOptions, runningOf } from '../../../fixtures/cloud-under-test.ts';
import { ManualClock } from '../../core/clock.ts';
import { Cloud } from '../../core/cloud.ts';
import type { Call } from '../../core/service.ts';
import { events } from '../events/index.ts';
import { inertResourceTypes } from '../inert-types.ts';
import { kinesis } from './index.ts';
import type { Kinesis } from './kinesis.ts';

const arnOf = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });
const role = (Resource: unknown) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sts:AssumeRole' },
    },
    Policies: [
      {
        PolicyName: 'put',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: { Effect: 'Allow', Action: 'kinesis:PutRecord', Resource },
        },
      },
    ],
  },
});
const rule = (source: string, target: object) => ({
  Type: 'AWS::Events::Rule',
  Properties: { EventPattern: { source: [source] }, Targets: [{ Id: 't', Arn: arnOf('Orders'), ...target }] },
});
const Resources = {
  Orders: { Type: 'AWS::Kinesis::Stream', Properties: { Name: 'orders', ShardCount: 1 } },
  Role: role(arnOf('Orders')),
  Powerless: role('arn:aws:kinesis:us-east-1:000000000000:stream/other'),
  ByOrder: rule('shop', { RoleArn: arnOf('Role'), KinesisParameters: { PartitionKeyPath: '$.detail.orderId' } }),
  ById: rule('stock', { RoleArn: arnOf('Role'), InputPath: '$.detail' }),
  Refused: rule('users', { RoleArn: arnOf('Powerless') }),
} as NonNullable<CloudFormationTemplate['Resources']>;

let cloud: Cloud;
let warnings: string[];

beforeEach(async () => {
  warnings = [];
  const options = cloudOptions({
    clock: new ManualClock(Date.parse('2026-06-01')),
    warn: (line) => void warnings.push(line),
  });
  cloud = new Cloud([kinesis as never, events as never], options, inertResourceTypes);
  await cloud.start();
  const { resourceTypes } = cloud;
  const { stacks } = loadStacks([{ stackName: 'shop', template: { Resources } }], { ...options, resourceTypes });
  await cloud.deploy(stacks);
});

afterEach(async () => {
  await cloud[Symbol.asyncDispose]();
});

async function put(Source: string): Promise<{ PartitionKey: string; text: string }[]> {
  const Entries = [{ Source, DetailType: 'Placed', Detail: '{"orderId":"o-1"}' }];
  const call = { operation: 'PutEvents', input: { Entries }, caller: cloud.callerOf('operator'), isMetered: false };
  await runningOf(cloud, events as never).api?.({ ...call, request: { headers: {} } } as unknown as Call);
  const stream = runningOf(cloud, kinesis as never).handle as Kinesis;
  const place = { StreamName: 'orders', ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' };
  const { ShardIterator } = stream.call('GetShardIterator', place) as { ShardIterator: string };
  const { Records } = stream.call('GetRecords', { ShardIterator }) as {
    Records: { PartitionKey: string; Data: string }[];
  };
  return Records.map(({ PartitionKey, Data }) => ({ PartitionKey, text: Buffer.from(Data, 'base64').toString() }));
}

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_KinesisParameters.html
describe('a stream as the target of a rule', () => {
  test('gets the event under the key that PartitionKeyPath finds in it', async () => {
    const [record] = await put('shop');
    expect(record?.PartitionKey).toBe('o-1');
    expect(JSON.parse(record?.text ?? '')).toMatchObject({ source: 'shop', detail: { orderId: 'o-1' } });
  });

  test("gets it under the event's id without one", async () => {
    expect(await put('stock')).toEqual([
      { PartitionKey: expect.stringMatching(/^[0-9a-f-]{36}$/), text: '{"orderId":"o-1"}' },
    ]);
  });

  test('gets no record from a role that may not put records into it', async () => {
    expect(await put('users')).toEqual([]);
    expect(warnings.join('\n')).toContain('kinesis:PutRecord');
  });
});
