import { randomBytes, randomUUID } from 'node:crypto';
import type { S3Caller } from '../operations/input.ts';
import type { ObjectChange, ObjectEvent } from './object-change.ts';

/** A change of an object as messages tell of it. */
export interface ObservedChange {
  change: ObjectChange;
  caller: S3Caller;
  accountId: string;
  region: string;
  /** Milliseconds since 1970. */
  time: number;
  /** Grows from change to change. */
  sequence: number;
}

/**
 * What queues, topics and functions get.
 *
 * From version 2.4 on, the version says which fields of newer features a record may have; 2.1 and 2.3 are those of the fields
 * that are here.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
export function eventRecords(observed: ObservedChange, configurationId: string): { Records: object[] } {
  const { change, caller, accountId, region, time } = observed;
  const { event, bucket, key, size, etag, versionId } = change;
  const isNewer = event.startsWith('Lifecycle') || event.startsWith('ObjectTagging');
  const record = {
    eventVersion: isNewer ? '2.3' : '2.1',
    eventSource: 'aws:s3',
    awsRegion: region,
    eventTime: new Date(time).toISOString(),
    eventName: event,
    userIdentity: { principalId: principalOf(observed) },
    requestParameters: {
      sourceIPAddress: caller.sourceIp ?? (change.operation === undefined ? 's3.amazonaws.com' : '127.0.0.1'),
    },
    responseElements: { 'x-amz-request-id': requestIdOf(caller), 'x-amz-id-2': randomBytes(48).toString('base64') },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId,
      bucket: { name: bucket, ownerIdentity: { principalId: accountId }, arn: `arn:aws:s3:::${bucket}` },
      object: {
        key: formEncoded(key),
        ...(size !== undefined && { size }),
        ...(etag !== undefined && { eTag: etag }),
        ...(versionId !== undefined && { versionId }),
        sequencer: sequencerOf(observed),
      },
    },
    ...(event === 'LifecycleTransition' && {
      lifecycleEventData: { transitionEventData: { destinationStorageClass: change.storageClass } },
    }),
  };
  return { Records: [record] };
}

/** Keys are encoded as a form is: "red flower.jpg" is "red+flower.jpg". */
function formEncoded(key: string): string {
  return new URLSearchParams({ key }).toString().slice('key='.length).replaceAll('%2F', '/');
}

const detailTypes: readonly (readonly [prefix: string, detailType: string])[] = [
  ['ObjectCreated', 'Object Created'],
  ['ObjectRemoved', 'Object Deleted'],
  ['LifecycleExpiration', 'Object Deleted'],
  ['LifecycleTransition', 'Object Storage Class Changed'],
  ['ObjectTagging:Put', 'Object Tags Added'],
  ['ObjectTagging:Delete', 'Object Tags Deleted'],
];

/**
 * What the default bus gets.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
 */
export function eventBridgeEvent(observed: ObservedChange): object {
  const { change, caller, accountId, region, time } = observed;
  const { event, bucket, key, size, etag, versionId } = change;
  const detailType = detailTypes.find(([prefix]) => event.startsWith(prefix))?.[1];
  const hasSequencer = detailType === 'Object Created' || detailType === 'Object Deleted';
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': detailType,
    source: 'aws.s3',
    account: accountId,
    time: new Date(time).toISOString().replace(/\.\d+/, ''),
    region,
    resources: [`arn:aws:s3:::${bucket}`],
    detail: {
      version: '0',
      bucket: { name: bucket },
      object: {
        key,
        ...(size !== undefined && { size }),
        ...(etag !== undefined && { etag }),
        ...(versionId !== undefined && { 'version-id': versionId }),
        ...(hasSequencer && { sequencer: sequencerOf(observed) }),
      },
      'request-id': requestIdOf(caller),
      requester: change.operation === undefined ? 's3.amazonaws.com' : (caller.accountId ?? accountId),
      ...(change.operation !== undefined && { 'source-ip-address': caller.sourceIp ?? '127.0.0.1' }),
      ...reasonOf(change),
      ...(event === 'LifecycleTransition' && { 'destination-storage-class': change.storageClass }),
    },
  };
}

function reasonOf({ event, operation }: ObjectChange): object {
  if (event.startsWith('ObjectCreated')) return { reason: operation };
  if (event.startsWith('ObjectRemoved')) return { reason: 'DeleteObject', 'deletion-type': deletionType(event) };
  return event.startsWith('LifecycleExpiration')
    ? { reason: 'Lifecycle Expiration', 'deletion-type': deletionType(event) }
    : {};
}

function deletionType(event: ObjectEvent): string {
  return event.endsWith(':DeleteMarkerCreated') ? 'Delete Marker Created' : 'Permanently Deleted';
}

function principalOf({ change, caller, accountId }: ObservedChange): string {
  return change.operation === undefined ? 's3.amazonaws.com' : (caller.principalId ?? caller.accountId ?? accountId);
}

function requestIdOf({ requestId }: S3Caller): string {
  return requestId ?? randomBytes(8).toString('hex').toUpperCase();
}

/** A hexadecimal number; as texts of one length they are in order as well. */
function sequencerOf({ sequence }: ObservedChange): string {
  return sequence.toString(16).toUpperCase().padStart(18, '0');
}
