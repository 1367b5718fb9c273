import { expect, it } from '@jest/globals';
import { scheduleInput } from '../../fixtures/scheduler-under-test.ts';
import type { Input } from '../core/access.ts';
import { cloudFormationApi } from './cloudformation/api.ts';
import { cloudFormation } from './cloudformation/index.ts';
import { cloudWatch } from './cloudwatch/index.ts';
import { inputs } from './cloudwatch/shapes.ts';
import { firehose } from './firehose/index.ts';
import { firehoseOperations } from './firehose/shapes.ts';
import { kinesis } from './kinesis/index.ts';
import { inputs as kinesisInputs } from './kinesis/shapes.ts';
import { formatIterator } from './kinesis/shard-iterator.ts';
import { kms } from './kms/index.ts';
import { logsApi } from './logs/api.ts';
import { logs } from './logs/index.ts';
import { schedulerApi } from './scheduler/api.ts';
import { scheduler } from './scheduler/index.ts';
import { inputs as statesInputs } from './states/api/input.ts';
import { states } from './states/index.ts';
import { sts } from './sts/index.ts';

const arn = (service: string, resource: string): string => `arn:aws:${service}:eu-central-1:000000000000:${resource}`;

const services = { firehose, kinesis, kms, scheduler, states, logs, cloudWatch, cloudFormation, sts };

// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
it.each<[keyof typeof services, string, Input, string[]]>([
  ['scheduler', 'GetSchedule', { Name: 'n' }, ['scheduler:GetSchedule schedule/default/n']],
  [
    'scheduler',
    'CreateSchedule',
    scheduleInput({ GroupName: 'g' }),
    ['scheduler:CreateSchedule schedule/g/nightly', 'iam:PassRole role/scheduler'],
  ],
  [
    'scheduler',
    'CreateScheduleGroup',
    { Name: 'g', Tags: [] },
    ['scheduler:CreateScheduleGroup schedule-group/g', 'scheduler:TagResource schedule-group/g'],
  ],
  [
    'scheduler',
    'DeleteScheduleGroup',
    { Name: 'g' },
    ['scheduler:DeleteScheduleGroup schedule-group/g', 'scheduler:DeleteSchedule schedule/g/*'],
  ],
  ['kms', 'GenerateMac', { KeyId: arn('kms', 'key/k') }, ['kms:GenerateMac key/k']],
  ['kms', 'VerifyMac', { KeyId: 'k' }, ['kms:VerifyMac key/k']],
  ['scheduler', 'ListSchedules', { GroupName: 'g' }, ['scheduler:ListSchedules *']],
  [
    'states',
    'CreateStateMachine',
    { name: 'm', roleArn: arn('iam', 'role/r') },
    ['states:CreateStateMachine stateMachine:m', 'iam:PassRole role/r'],
  ],
  [
    'states',
    'StartExecution',
    { stateMachineArn: arn('states', 'stateMachine:m') },
    ['states:StartExecution stateMachine:m'],
  ],
  [
    'states',
    'GetExecutionHistory',
    { executionArn: arn('states', 'execution:m:e') },
    ['states:GetExecutionHistory execution:m:e'],
  ],
  ['states', 'SendTaskSuccess', { taskToken: 't' }, ['states:SendTaskSuccess *']],
  ['logs', 'FilterLogEvents', { logGroupName: '/aws/lambda/f' }, ['logs:FilterLogEvents log-group:/aws/lambda/f:*']],
  [
    'logs',
    'GetLogEvents',
    { logGroupIdentifier: arn('logs', 'log-group:g:*'), logStreamName: 's' },
    ['logs:GetLogEvents log-group:g:log-stream:s'],
  ],
  ['logs', 'DescribeLogGroups', {}, ['logs:DescribeLogGroups log-group:*']],
  ['cloudWatch', 'PutMetricData', { Namespace: 'Shop' }, ['cloudwatch:PutMetricData *']],
  ['cloudWatch', 'SetAlarmState', { AlarmName: 'a' }, ['cloudwatch:SetAlarmState alarm:a']],
  ['cloudFormation', 'GetTemplate', { StackName: 's' }, ['cloudformation:GetTemplate stack/s/*']],
  ['cloudFormation', 'ListExports', {}, ['cloudformation:ListExports *']],
  ['kinesis', 'PutRecords', { StreamName: 's' }, ['kinesis:PutRecords stream/s']],
  ['kinesis', 'DescribeStream', { StreamARN: arn('kinesis', 'stream/s') }, ['kinesis:DescribeStream stream/s']],
  [
    'kinesis',
    'GetRecords',
    { ShardIterator: formatIterator({ streamName: 's', createdAt: 0, shard: 0, position: 0 }, 0) },
    ['kinesis:GetRecords stream/s'],
  ],
  [
    'kinesis',
    'CreateStream',
    { StreamName: 's', Tags: { a: 'b' } },
    ['kinesis:CreateStream stream/s', 'kinesis:AddTagsToStream stream/s'],
  ],
  ['firehose', 'PutRecordBatch', { DeliveryStreamName: 's' }, ['firehose:PutRecordBatch deliverystream/s']],
  ['firehose', 'ListDeliveryStreams', {}, ['firehose:ListDeliveryStreams *']],
  ['kinesis', 'ListStreams', {}, ['kinesis:ListStreams *']],
  ['sts', 'GetCallerIdentity', {}, []],
  ['sts', 'AssumeRole', { RoleArn: 'arn:aws:iam::000000000000:role/r' }, ['sts:AssumeRole role/r']],
])('%s %s', (name, operation, input, expected) => {
  const found = services[name]
    .access(operation, input, arn)
    ?.map(({ action, resource }) => `${action} ${resource.replace(/^arn:aws:[^:]*:[^:]*:\d*:/, '')}`);
  expect(found).toEqual(expected);
});

it('every operation of a service has its permissions', () => {
  const operations = [
    [scheduler, Object.keys(schedulerApi({} as never, {} as never))],
    [firehose, firehoseOperations],
    [kinesis, Object.keys(kinesisInputs)],
    [logs, Object.keys(logsApi({} as never, {} as never))],
    [cloudFormation, Object.keys(cloudFormationApi({} as never))],
    [cloudWatch, Object.keys(inputs)],
    [states, [...Object.keys(statesInputs), 'TestState']],
  ] as const;
  const without = operations.flatMap(([service, names]) => names.filter((name) => !service.access(name, {}, arn)));
  expect(without).toEqual([]);
  expect(scheduler.access('Nonsense', {}, arn)).toBeUndefined();
});
