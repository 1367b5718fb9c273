import { arnOf } from '@millrace/cloudformation';
import type { ResourceType } from '../../core/service.ts';

/** The service makes all of them together, when all targets are there. */
export const pipesResourceTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::Pipes::Pipe': {
    nameProperty: 'Name',
    attributes: {
      Arn: arnOf('pipes', ({ name }) => `pipe/${name}`),
      CurrentState: (r) => String(r.property('DesiredState') ?? 'RUNNING'),
    },
    properties: [
      ...['Name', 'Description', 'DesiredState', 'RoleArn', 'Source', 'SourceParameters', 'Enrichment'],
      ...['EnrichmentParameters', 'Target', 'TargetParameters', 'KmsKeyIdentifier', 'Tags'],
    ],
  },
};
