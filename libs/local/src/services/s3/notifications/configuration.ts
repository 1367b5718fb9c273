import { s3Error } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { Structure } from '../protocol/xml-shape.ts';

/** What a bucket tells of, and whom. */
export interface NotificationConfiguration {
  targets: NotificationTarget[];
  eventBridge: boolean;
}

export interface NotificationTarget {
  id: string;
  kind: 'queue' | 'topic' | 'function';
  arn: string;
  /** `s3:ObjectCreated:*` and so on. */
  events: string[];
  prefix: string;
  suffix: string;
}

/** Where the API has the targets of each kind. */
const kinds = [
  { kind: 'topic', list: 'TopicConfigurations', arn: 'TopicArn', service: 'sns' },
  { kind: 'queue', list: 'QueueConfigurations', arn: 'QueueArn', service: 'sqs' },
  { kind: 'function', list: 'LambdaFunctionConfigurations', arn: 'LambdaFunctionArn', service: 'lambda' },
] as const;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html */
const eventNames = new Set(
  [
    ...['ObjectCreated:*', 'ObjectCreated:Put', 'ObjectCreated:Post', 'ObjectCreated:Copy'],
    ...['ObjectCreated:CompleteMultipartUpload', 'ObjectRemoved:*', 'ObjectRemoved:Delete'],
    ...['ObjectRemoved:DeleteMarkerCreated', 'ObjectRestore:*', 'ObjectRestore:Post', 'ObjectRestore:Completed'],
    ...['ObjectRestore:Delete', 'ReducedRedundancyLostObject', 'Replication:*'],
    ...['Replication:OperationFailedReplication', 'Replication:OperationMissedThreshold'],
    ...['Replication:OperationNotTracked', 'Replication:OperationReplicatedAfterThreshold'],
    ...['LifecycleTransition', 'LifecycleExpiration:*', 'LifecycleExpiration:Delete'],
    ...['LifecycleExpiration:DeleteMarkerCreated', 'IntelligentTiering', 'ObjectTagging:*', 'ObjectTagging:Put'],
    ...['ObjectTagging:Delete', 'ObjectAcl:Put'],
  ].map((name) => `s3:${name}`),
);

interface TargetDocument {
  Id?: string;
  Events: string[];
  Filter?: { Key?: { FilterRules?: { Name?: string; Value?: string }[] } };
}

/**
 * Reads the configuration of a request.
 *
 * @param createId makes an id for a target without one
 * @throws S3Error InvalidArgument
 */
export function readConfiguration(document: Structure, createId: () => string): NotificationConfiguration {
  const targets = kinds.flatMap(({ kind, list, arn: arnMember, service }) => {
    const documents = (document[list] ?? []) as (TargetDocument & Record<string, string>)[];
    return documents.map(({ Id, Events, Filter, [arnMember]: arn = '' }): NotificationTarget => {
      if (!arn.startsWith(`arn:aws:${service}:`))
        throw s3Error('InvalidArgument', 'The ARN could not be parsed', { ArgumentName: arnMember });
      if (service !== 'lambda' && arn.endsWith('.fifo')) {
        throw s3Error(
          'InvalidArgument',
          'FIFO queues and topics are not supported as destinations of event notifications',
        );
      }
      if (!Events.every((event) => eventNames.has(event))) {
        throw s3Error('InvalidArgument', 'A specified event is not supported for notifications.');
      }
      return { id: Id ?? createId(), kind, arn, events: Events, ...readFilter(Filter) };
    });
  });
  if (targets.length > s3Limits.notificationConfigurations) {
    throw s3Error(
      'InvalidArgument',
      `A bucket can have at most ${s3Limits.notificationConfigurations} notification configurations.`,
    );
  }
  if (new Set(targets.map(({ id }) => id)).size < targets.length) {
    throw s3Error('InvalidArgument', 'Same ID used for multiple configurations. IDs must be unique');
  }
  checkOverlaps(targets);
  return { targets, eventBridge: document.EventBridgeConfiguration !== undefined };
}

function readFilter(filter: TargetDocument['Filter']): { prefix: string; suffix: string } {
  const values: Record<string, string> = {};
  for (const { Name = '', Value = '' } of filter?.Key?.FilterRules ?? []) {
    const name = Name.toLowerCase();
    if (name !== 'prefix' && name !== 'suffix')
      throw s3Error('InvalidArgument', 'filter rule name must be either prefix or suffix');
    if (values[name] !== undefined) {
      throw s3Error('InvalidArgument', `Cannot specify more than one ${name} rule in a filter.`);
    }
    if (Buffer.byteLength(Value) > s3Limits.keyBytes)
      throw s3Error('InvalidArgument', 'Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation');
    values[name] = Value;
  }
  return { prefix: values.prefix ?? '', suffix: values.suffix ?? '' };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html#notification-how-to-filtering-examples-invalid */
function checkOverlaps(targets: readonly NotificationTarget[]): void {
  targets.forEach((a, index) => {
    for (const b of targets.slice(index + 1)) {
      const shareEvent = a.events.some((event) =>
        b.events.some((other) => includesEvent(event, other) || includesEvent(other, event)),
      );
      const sharePrefix = a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix);
      const shareSuffix = a.suffix.endsWith(b.suffix) || b.suffix.endsWith(a.suffix);
      if (shareEvent && sharePrefix && shareSuffix) {
        throw s3Error(
          'InvalidArgument',
          'Configurations overlap. Configurations on the same bucket cannot share a common event type.',
        );
      }
    }
  });
}

function includesEvent(pattern: string, event: string): boolean {
  return pattern === event || (pattern.endsWith(':*') && event.startsWith(pattern.slice(0, -1)));
}

/** Whether a target is told of an event of a key. */
export function isInterested({ events, prefix, suffix }: NotificationTarget, event: string, key: string): boolean {
  return (
    key.startsWith(prefix) && key.endsWith(suffix) && events.some((pattern) => includesEvent(pattern, `s3:${event}`))
  );
}

/** The configuration as the API has it. */
export function configurationDocument({ targets, eventBridge }: NotificationConfiguration): Structure {
  const document: Structure = eventBridge ? { EventBridgeConfiguration: {} } : {};
  for (const { kind, list, arn: arnMember } of kinds) {
    const ofKind = targets.filter((target) => target.kind === kind);
    if (ofKind.length === 0) continue;
    document[list] = ofKind.map(({ id, arn, events, prefix, suffix }) => {
      const FilterRules = [
        ...(prefix === '' ? [] : [{ Name: 'Prefix', Value: prefix }]),
        ...(suffix === '' ? [] : [{ Name: 'Suffix', Value: suffix }]),
      ];
      return {
        Id: id,
        [arnMember]: arn,
        Events: events,
        ...(FilterRules.length > 0 && { Filter: { Key: { FilterRules } } }),
      };
    });
  }
  return document;
}
