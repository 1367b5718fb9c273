import { expect, test } from '@jest/globals';
import { type CloudFormationTemplate, loadStacks } from '@millrace/cloudformation';
import { cloudOptions } from '../../fixtures/cloud-under-test.ts';
import { Cloud } from '../core/cloud.ts';
import { services } from './index.ts';
import { inertResourceTypes } from './inert-types.ts';

/** What is said of one resource. */
function warningsOf(Type: string, Properties: Record<string, unknown>, logicalId = 'It'): string[] {
  const cloud = new Cloud(services, cloudOptions(), inertResourceTypes);
  const template = { Resources: { [logicalId]: { Type, Properties } } } as CloudFormationTemplate;
  const { host, resourceTypes } = cloud;
  return cloud.warnings(loadStacks([{ stackName: 'shop', template }], { ...host, resourceTypes }).stacks);
}

test.each([
  ['AWS::S3::Bucket', 'ReplicationConfiguration'],
  ['AWS::S3::Bucket', 'WebsiteConfiguration'],
  ['AWS::S3::Bucket', 'CorsConfiguration'],
  ['AWS::SNS::Topic', 'ArchivePolicy'],
  ['AWS::SNS::Subscription', 'ReplayPolicy'],
  ['AWS::Lambda::Function', 'FileSystemConfigs'],
  ['AWS::Lambda::Function', 'VpcConfig'],
  ['AWS::Lambda::EventSourceMapping', 'ProvisionedPollerConfig'],
  ['AWS::DynamoDB::Table', 'ImportSourceSpecification'],
  ['AWS::SQS::Queue', 'Unheard'],
  ['AWS::KMS::Key', 'Unheard'],
])('%s with %s is warned of by name', (type, property) => {
  expect(warningsOf(type, { [property]: {} })).toEqual([
    `Stack shop: It: ${property} of ${type} is not supported here`,
  ]);
});

test.each([
  ['AWS::S3::Bucket', { BucketEncryption: {}, PublicAccessBlockConfiguration: {} }],
  ['AWS::S3::Bucket', { LifecycleConfiguration: {}, NotificationConfiguration: {}, VersioningConfiguration: {} }],
  ['AWS::SNS::Topic', { TopicName: 't', FifoTopic: true, DisplayName: 'T', Subscription: [] }],
  ['AWS::SNS::Subscription', { TopicArn: 't', Protocol: 'lambda', Endpoint: 'f', FilterPolicy: {} }],
  ['AWS::SNS::Subscription', { TopicArn: 't', Protocol: 'https', Endpoint: 'https://localhost:8443/hook' }],
  ['AWS::Lambda::Function', { Handler: 'a.handler', Timeout: 3, Code: {}, Runtime: 'nodejs24.x' }],
  ['AWS::Logs::LogGroup', { RetentionInDays: 7 }],
  ['AWS::KMS::Key', { KeyPolicy: {}, EnableKeyRotation: true, PendingWindowInDays: 7 }],
])('%s with what has the effect it has at AWS, or none, is nothing to be warned of', (type, properties) => {
  expect(warningsOf(type, properties)).toEqual([]);
});

test('the bucket that osls deploys through is nothing to be warned of', () => {
  expect(warningsOf('AWS::S3::Bucket', { WebsiteConfiguration: {} }, 'ServerlessDeploymentBucket')).toEqual([]);
});

test('every type that is not inert says which properties it knows', () => {
  for (const { resourceTypes } of services) {
    for (const [name, type] of Object.entries(resourceTypes)) {
      if (type.inert === undefined) expect([name, type.properties]).toEqual([name, expect.any(Array)]);
    }
  }
});

test('a subscription that nothing can be delivered to is warned of, in a topic, too', () => {
  const firehose = { Protocol: 'firehose', Endpoint: 'arn:aws:firehose:us-east-1:000000000000:deliverystream/s' };
  const elsewhere = { Protocol: 'https', Endpoint: 'https://example.com/hook' };
  const why = 'gets nothing: subscriptions of the protocol firehose are not available here';
  expect(warningsOf('AWS::SNS::Subscription', { TopicArn: 'arn', ...firehose })).toEqual([`Stack shop: It ${why}`]);
  expect(warningsOf('AWS::SNS::Topic', { Subscription: [firehose, elsewhere] })).toEqual([
    `Stack shop: It ${why}`,
    'Stack shop: It gets nothing: example.com is not on this machine',
  ]);
});

test('a target that is not here is warned of', () => {
  const Targets = [{ Id: 'logs', Arn: 'arn:aws:logs:us-east-1:000000000000:log-group:/events' }];
  expect(warningsOf('AWS::Events::Rule', { Name: 'r', Targets })).toEqual([
    'Stack shop: It cannot deliver to arn:aws:logs:us-east-1:000000000000:log-group:/events',
  ]);
});
