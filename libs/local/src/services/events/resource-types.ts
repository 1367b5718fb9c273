import { arnOf, type ResourceIdentity, stableUuid } from '@millrace/cloudformation';
import type { ResourceType } from '../../core/service.ts';
import type { EventBridge } from './event-bridge.ts';
import { createArchive, createEventBus, createEventBusPolicy, createRule } from './resources.ts';

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

function eventBusOf(identity: ResourceIdentity): string {
  const name = String(identity.property('EventBusName') ?? 'default');
  return name.startsWith('arn:') ? name.slice(name.lastIndexOf('/') + 1) : name;
}
