import { expect, test } from '@jest/globals';
import { loadStacks } from '@millrace/cloudformation';
import { cloudOptions } from '../../fixtures/cloud-under-test.ts';
import { Cloud } from '../core/cloud.ts';
import { services } from './index.ts';
import { inertResourceTypes } from './inert-types.ts';

const place = {
  accountId: '000000000000',
  region: 'us-east-1',
  awsUrl: 'http://127.0.0.1:4566',
  resourceTypes: new Cloud(services, cloudOptions(), inertResourceTypes).resourceTypes,
};

test.each<[string, string, Record<string, string>, string, string]>([
  ['a bus', 'AWS::Events::EventBus', { Name: 'b' }, 'Arn', 'arn:aws:events:us-east-1:000000000000:event-bus/b'],
  [
    'a rule on a bus',
    'AWS::Events::Rule',
    { Name: 'r', EventBusName: 'b' },
    'Arn',
    'arn:aws:events:us-east-1:000000000000:rule/b/r',
  ],
  [
    'a rule on a bus by ARN',
    'AWS::Events::Rule',
    { Name: 'r', EventBusName: 'arn:aws:events:us-east-1:000000000000:event-bus/b' },
    'Arn',
    'arn:aws:events:us-east-1:000000000000:rule/b/r',
  ],
  [
    'a rule on the default bus',
    'AWS::Events::Rule',
    { Name: 'r' },
    'Arn',
    'arn:aws:events:us-east-1:000000000000:rule/r',
  ],
  [
    'a function',
    'AWS::Lambda::Function',
    { FunctionName: 'f' },
    'Arn',
    'arn:aws:lambda:us-east-1:000000000000:function:f',
  ],
  [
    'a function version',
    'AWS::Lambda::Version',
    { FunctionName: 'f' },
    'FunctionArn',
    'arn:aws:lambda:us-east-1:000000000000:function:f:1',
  ],
  ['a role', 'AWS::IAM::Role', { RoleName: 'r' }, 'Arn', 'arn:aws:iam::000000000000:role/r'],
  ['a table', 'AWS::DynamoDB::Table', { TableName: 't' }, 'Arn', 'arn:aws:dynamodb:us-east-1:000000000000:table/t'],
  ['a bucket', 'AWS::S3::Bucket', { BucketName: 'b' }, 'Arn', 'arn:aws:s3:::b'],
  [
    'a log group',
    'AWS::Logs::LogGroup',
    { LogGroupName: '/aws/l' },
    'Arn',
    'arn:aws:logs:us-east-1:000000000000:log-group:/aws/l:*',
  ],
  ['a parameter', 'AWS::SSM::Parameter', { Name: '/p', Type: 'String', Value: 'v' }, 'Value', 'v'],
])('%s has its attributes', (_name, Type, Properties, attribute, expected) => {
  const { stacks } = loadStacks([{ stackName: 'shop', template: { Resources: { It: { Type, Properties } } } }], place);
  expect(stacks[0]?.attribute('It', attribute)).toBe(expected);
});
