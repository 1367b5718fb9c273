import { arnOf, type ResourceIdentity, stableUuid } from '@millrace/cloudformation';
import type { DeclaredResource, ResourceType } from '../../core/service.ts';
import { secretName } from './api-destinations/connections.ts';
import type { EventBridge } from './event-bridge.ts';
import {
  createApiDestination,
  createArchive,
  createConnection,
  createEventBus,
  createEventBusPolicy,
  createRule,
} from './resources.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Events.html */
export const eventsResourceTypes: Readonly<Record<string, ResourceType<EventBridge>>> = {
  'AWS::Events::EventBus': {
    nameProperty: 'Name',
    attributes: { Arn: arnOf('events', (r) => `event-bus/${r.name}`), Name: (r) => r.name },
    // Nothing is encrypted on this machine.
    properties: ['Name', 'Description', 'Policy', 'Tags', 'KmsKeyIdentifier'],
    create: ({ name, properties }, events) => createEventBus(events, name, properties),
  },
  'AWS::Events::EventBusPolicy': {
    ref: stableUuid,
    attributes: {},
    properties: ['EventBusName', 'StatementId', 'Statement', 'Action', 'Principal', 'Condition'],
    create: ({ properties }, events) => createEventBusPolicy(events, properties),
  },
  'AWS::Events::Archive': {
    nameProperty: 'ArchiveName',
    attributes: { Arn: arnOf('events', (r) => `archive/${r.name}`) },
    properties: ['ArchiveName', 'SourceArn', 'Description', 'EventPattern', 'RetentionDays', 'KmsKeyIdentifier'],
    create: ({ name, properties }, events) => createArchive(events, name, properties),
  },
  'AWS::Events::Connection': {
    nameProperty: 'Name',
    attributes: {
      Arn: arnOf('events', (r) => `connection/${r.name}/${stableUuid(r)}`),
      ArnForPolicy: arnOf('events', (r) => `connection/${r.name}`),
      SecretArn: arnOf('secretsmanager', (r) => secretName(r.name, stableUuid(r))),
    },
    properties: ['Name', 'Description', 'AuthorizationType', 'AuthParameters', 'KmsKeyIdentifier'],
    create: ({ name, properties, ...resource }, events) => createConnection(events, name, properties, idOf(resource)),
  },
  'AWS::Events::ApiDestination': {
    nameProperty: 'Name',
    attributes: {
      Arn: arnOf('events', (r) => `api-destination/${r.name}/${stableUuid(r)}`),
      ArnForPolicy: arnOf('events', (r) => `api-destination/${r.name}`),
    },
    properties: [
      ...['Name', 'Description', 'ConnectionArn', 'HttpMethod', 'InvocationEndpoint', 'InvocationRateLimitPerSecond'],
    ],
    create: ({ name, properties, ...resource }, events) =>
      createApiDestination(events, name, properties, idOf(resource)),
  },
  'AWS::Events::Rule': {
    nameProperty: 'Name',
    attributes: {
      Arn: arnOf('events', (r) => {
        const bus = eventBusOf(r);
        return bus === 'default' ? `rule/${r.name}` : `rule/${bus}/${r.name}`;
      }),
    },
    properties: [
      ...['Name', 'Description', 'EventBusName', 'EventPattern', 'State', 'Targets', 'RoleArn', 'Tags'],
      'ScheduleExpression',
    ],
    create: ({ name, properties }, events) => createRule(events, name, properties),
    warnings: ({ properties: { Targets } }, { isTarget }) =>
      ((Targets ?? []) as { Arn: string }[]).flatMap(({ Arn }) => (isTarget(Arn) ? [] : [`cannot deliver to ${Arn}`])),
  },
};

/** The last part of a resource's ARN. */
function idOf({ stack, logicalId }: Pick<DeclaredResource, 'stack' | 'logicalId'>): string {
  const arn = stack.attribute(logicalId, 'Arn');
  return arn.slice(arn.lastIndexOf('/') + 1);
}

function eventBusOf(identity: ResourceIdentity): string {
  const name = String(identity.property('EventBusName') ?? 'default');
  return name.startsWith('arn:') ? name.slice(name.lastIndexOf('/') + 1) : name;
}
