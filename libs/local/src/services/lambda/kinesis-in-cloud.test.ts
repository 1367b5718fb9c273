import { CreateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { runningOf } from '../../../fixtures/cloud-under-test.ts';
import { arn, LambdaUnderTest } from '../../../fixtures/lambda-under-test.ts';
import { kinesis } from '../kinesis/index.ts';
import type { Kinesis } from '../kinesis/kinesis.ts';

const streamArn = { 'Fn::GetAtt': ['Orders', 'Arn'] };
const READS = ['DescribeStream', 'DescribeStreamSummary', 'GetRecords', 'GetShardIterator', 'ListShards'].map(
  (name) => `kinesis:${name}`,
);

let under: LambdaUnderTest;

beforeEach(() => {
  under = new LambdaUnderTest();
});

afterEach(async () => {
  await under[Symbol.asyncDispose]();
});

const role = (Action: string[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
    },
    Policies: [
      {
        PolicyName: 'read',
        PolicyDocument: { Version: '2012-10-17', Statement: { Effect: 'Allow', Action, Resource: streamArn } },
      },
    ],
  },
});
const resources = (mapping?: object) => ({
  Orders: { Type: 'AWS::Kinesis::Stream', Properties: { Name: 'orders', ShardCount: 1 } },
  Reader: role(READS),
  Blind: role(['kinesis:DescribeStream']),
  Consume: under.fn('consume', { Role: { 'Fn::GetAtt': ['Reader', 'Arn'] } }),
  Stare: under.fn('stare', { Role: { 'Fn::GetAtt': ['Blind', 'Arn'] } }),
  ...(mapping && {
    Mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: { EventSourceArn: streamArn, FunctionName: 'consume', StartingPosition: 'TRIM_HORIZON', ...mapping },
    },
  }),
});
const put = (text: string) => {
  const stream = runningOf(under.cloud, kinesis as never).handle as Kinesis;
  stream.call('PutRecord', { StreamName: 'orders', PartitionKey: 'k', Data: Buffer.from(text).toString('base64') });
};
const texts = () =>
  under
    .seen()
    .flatMap(({ event }) =>
      (event.Records as { kinesis: { data: string } }[]).map(({ kinesis: { data } }) =>
        Buffer.from(data, 'base64').toString(),
      ),
    );

// https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
describe('a mapping of a template on a Kinesis stream', () => {
  test('feeds the function, and a restart goes on with what came after its checkpoint', async () => {
    await under.start(resources({ BatchSize: 10 }), { keepsData: true });
    put('a');
    await eventually(() => expect(texts()).toEqual(['a']));
    await under.stop();
    await under.start(resources({ Enabled: false }), { keepsData: true });
    put('b');
    await under.stop();
    await under.start(resources({ BatchSize: 10 }), { keepsData: true });
    await eventually(() => expect(texts()).toEqual(['a', 'b']));
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html#events-kinesis-permissions
  test('needs a role that may read the stream', async () => {
    await under.start(resources());
    const create = new CreateEventSourceMappingCommand({
      FunctionName: 'stare',
      EventSourceArn: arn('kinesis', 'stream/orders'),
      StartingPosition: 'TRIM_HORIZON',
    });
    await expect(under.client.send(create)).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: expect.stringContaining('Cannot access stream'),
    });
  });
});
