import { arnOf } from '@millrace/cloudformation';
import type { DeclaredResource, ResourceType } from '../../core/service.ts';

/** What pipes of this machine do with the parameters of sources and targets. */
const SUPPORTED: Readonly<Record<string, readonly string[]>> = {
  SourceParameters: ['FilterCriteria', 'SqsQueueParameters', 'DynamoDBStreamParameters'],
  EnrichmentParameters: ['InputTemplate', 'HttpParameters'],
  TargetParameters: [
    ...['InputTemplate', 'LambdaFunctionParameters', 'StepFunctionStateMachineParameters', 'SqsQueueParameters'],
    ...['EventBridgeEventBusParameters', 'CloudWatchLogsParameters', 'HttpParameters'],
  ],
};

/** The service makes all of them together, when all targets are there. */
export const pipesResourceTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::Pipes::Pipe': {
    nameProperty: 'Name',
    attributes: { Arn: arnOf('pipes', ({ name }) => `pipe/${name}`) },
    properties: [
      ...['Name', 'Description', 'DesiredState', 'RoleArn', 'Source', 'SourceParameters', 'Enrichment'],
      ...['EnrichmentParameters', 'Target', 'TargetParameters', 'KmsKeyIdentifier', 'Tags'],
    ],
    warnings: unsupportedParameters,
  },
};

function unsupportedParameters({ properties }: DeclaredResource): string[] {
  return Object.entries(SUPPORTED).flatMap(([property, supported]) =>
    Object.keys((properties[property] ?? {}) as object)
      .filter((name) => !supported.includes(name))
      .map((name) => `is applied without ${property}.${name}: not supported here`),
  );
}
