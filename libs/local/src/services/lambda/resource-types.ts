import { type Attribute, arnOf, stableUuid } from '@millrace/cloudformation';
import type { ResourceType } from '../../core/service.ts';

/** `FunctionName` may be a name or an ARN; a version's ARN is the function's with `:1` behind it. */
const firstVersion: Attribute = arnOf('lambda', (r) => {
  const name = String(r.property('FunctionName'));
  return `function:${name.slice(name.lastIndexOf(':') + 1)}:1`;
});

const aliasArn: Attribute = arnOf('lambda', (r) => {
  const name = String(r.property('FunctionName'));
  return `function:${name.slice(name.lastIndexOf(':') + 1)}:${r.property('Name')}`;
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html */
export const lambdaResourceTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::Lambda::Function': {
    nameProperty: 'FunctionName',
    attributes: { Arn: arnOf('lambda', (r) => `function:${r.name}`) },
    properties: [
      ...[
        'FunctionName',
        'Handler',
        'Timeout',
        'MemorySize',
        'ReservedConcurrentExecutions',
        'Environment',
        'Role',
        'DeadLetterConfig',
        'DurableConfig',
        'LoggingConfig',
      ],
      // The code is what was packaged, and it runs on this machine's Node and processor.
      ...['Code', 'Runtime', 'Architectures', 'PackageType', 'Description', 'Tags', 'KmsKeyArn'],
      'EphemeralStorage',
    ],
  },
  'AWS::Lambda::EventInvokeConfig': {
    ref: stableUuid,
    attributes: {},
    properties: ['FunctionName', 'Qualifier', 'MaximumRetryAttempts', 'MaximumEventAgeInSeconds', 'DestinationConfig'],
  },
  'AWS::Lambda::EventSourceMapping': {
    ref: stableUuid,
    attributes: {
      Id: stableUuid,
      EventSourceMappingArn: arnOf('lambda', (r) => `event-source-mapping:${stableUuid(r)}`),
    },
    properties: [
      ...['EventSourceArn', 'FunctionName', 'StartingPosition', 'Enabled', 'BatchSize', 'FilterCriteria', 'Tags'],
      ...['MaximumBatchingWindowInSeconds', 'FunctionResponseTypes', 'ScalingConfig', 'BisectBatchOnFunctionError'],
      ...[
        'MaximumRetryAttempts',
        'MaximumRecordAgeInSeconds',
        'ParallelizationFactor',
        'TumblingWindowInSeconds',
        'StartingPositionTimestamp',
        'DestinationConfig',
        'KmsKeyArn',
      ],
    ],
  },
  'AWS::Lambda::Version': {
    ref: firstVersion,
    attributes: { Version: () => '1', FunctionArn: firstVersion },
    // The code is what was packaged.
    properties: ['FunctionName', 'Description', 'CodeSha256'],
  },
  'AWS::Lambda::Alias': {
    ref: aliasArn,
    attributes: { AliasArn: aliasArn },
    properties: ['FunctionName', 'FunctionVersion', 'Name', 'Description', 'RoutingConfig'],
  },
  'AWS::Lambda::Permission': {
    ref: stableUuid,
    attributes: { Id: stableUuid },
    inert: 'HTTP APIs and rules may invoke every function on this machine',
  },
};
