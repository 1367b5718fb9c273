import type { Timer } from '../../core/clock.ts';
import type { S3Context } from './operations/context.ts';
import { deleteObject } from './operations/delete-objects.ts';
import { shownVersionId } from './operations/write-object.ts';
import { isSelected, type LifecycleRule } from './settings/lifecycle-rules.ts';
import type { ObjectVersion } from './store/index.ts';

const DAY_MS = 86_400_000;
const BATCH = 1000;
const expirations = {
  deleted: 'LifecycleExpiration:Delete',
  markerCreated: 'LifecycleExpiration:DeleteMarkerCreated',
} as const;

/**
 * Runs the lifecycle rules of all buckets at every midnight (UTC), and at the start for the midnights in between.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html
 *
 * @param warn told of a bucket whose rules could not be run, e.g. on a full disk; the others' are
 * @returns a function that ends it
 */
export function startLifecycle(context: S3Context, warn: (line: string) => void): () => void {
  let timer: Timer;
  const run = (): void => {
    for (const { name } of context.store.buckets.list()) {
      try {
        applyLifecycle(context, name);
      } catch (error) {
        warn(`The lifecycle rules of bucket ${name} could not be run: ${(error as Error).message}`);
      }
    }
    timer = context.clock.setTimer(nextMidnight(context.clock.now() + 1), run);
  };
  run();
  return () => timer.cancel();
}

/** Does to the objects of one bucket what its rules ask for by now. */
export function applyLifecycle(context: S3Context, bucket: string): void {
  const configuration = context.store.buckets.setting<{ Rules?: LifecycleRule[] }>(bucket, 'lifecycle');
  const rules = (configuration?.Rules ?? []).filter(({ Status }) => Status === 'Enabled');
  if (rules.length === 0) return;
  for (const versions of versionsByKey(context, bucket)) applyToKey(context, rules, versions);
  abortUploads(context, bucket, rules);
}

/** Calculated from the time of the change, then rounded up to the next midnight. */
function dueAt(time: number, days: number): number {
  return nextMidnight(time + days * DAY_MS);
}

function nextMidnight(time: number): number {
  return Math.ceil(time / DAY_MS) * DAY_MS;
}

/** The versions of each key, from the newest to the oldest. */
function* versionsByKey(context: S3Context, bucket: string): Iterable<ObjectVersion[]> {
  let group: ObjectVersion[] = [];
  let last: ObjectVersion | undefined;
  for (;;) {
    const start = last ? { from: last.key, exclusive: true, beforeId: last.id } : { from: '' };
    const batch = context.store.versions.listAll(bucket, start, BATCH);
    for (const version of batch) {
      if (group.length > 0 && group[0]?.key !== version.key) {
        yield group;
        group = [];
      }
      group.push(version);
    }
    last = batch.at(-1);
    if (batch.length < BATCH) break;
  }
  if (group.length > 0) yield group;
}

function applyToKey(context: S3Context, rules: readonly LifecycleRule[], versions: readonly ObjectVersion[]): void {
  const now = context.clock.now();
  let remaining = versions.length;
  versions.slice(1).forEach((version, index) => {
    const successor = versions[index] as ObjectVersion;
    const isExpired = rules.some((rule) => {
      const { NoncurrentDays = 0, NewerNoncurrentVersions = 0 } = rule.NoncurrentVersionExpiration ?? {};
      const isOld = index >= NewerNoncurrentVersions && now >= dueAt(successor.modifiedAt, NoncurrentDays);
      return rule.NoncurrentVersionExpiration !== undefined && isSelected(rule, version) && isOld;
    });
    if (isExpired) {
      remaining -= 1;
      expire(context, version, version.versionId);
    } else {
      const moves = rules
        .filter((rule) => isSelected(rule, version))
        .flatMap((rule) => rule.NoncurrentVersionTransitions ?? []);
      const due = moves.filter(
        ({ NoncurrentDays = 0, NewerNoncurrentVersions = 0 }) =>
          index >= NewerNoncurrentVersions && now >= dueAt(successor.modifiedAt, NoncurrentDays),
      );
      transition(context, version, due.at(-1)?.StorageClass);
    }
  });
  const [current] = versions;
  if (!current) return;
  const selected = rules.filter((rule) => isSelected(rule, current));
  const isDue = ({ Date: date, Days }: { Date?: string; Days?: number }): boolean =>
    (Days !== undefined && now >= dueAt(current.modifiedAt, Days)) || (date !== undefined && now >= Date.parse(date));
  if (current.deleteMarker) {
    const isLonely = remaining === 1 && selected.some(({ Expiration }) => Expiration?.ExpiredObjectDeleteMarker);
    if (isLonely) expire(context, current, current.versionId);
  } else if (selected.some(({ Expiration = {} }) => isDue(Expiration))) expire(context, current);
  else
    transition(
      context,
      current,
      selected.flatMap(({ Transitions = [] }) => Transitions.filter(isDue)).at(-1)?.StorageClass,
    );
}

function expire(context: S3Context, { bucket, key }: ObjectVersion, versionId?: string): void {
  const input = { Bucket: bucket, Key: key, ...(versionId !== undefined && { VersionId: versionId }) };
  deleteObject(context, input, {}, undefined, expirations);
}

function transition(context: S3Context, version: ObjectVersion, storageClass: string | undefined): void {
  if (storageClass === undefined || version.deleteMarker || version.attributes.StorageClass === storageClass) return;
  const { bucket, key, size, etag, id } = version;
  const versionId = shownVersionId(context, bucket, version.versionId);
  context.store.transaction(() => {
    context.store.versions.setAttributes(id, { ...version.attributes, StorageClass: storageClass });
    context.notify({ event: 'LifecycleTransition', bucket, key, size, etag, versionId, storageClass }, {});
  });
}

function abortUploads(context: S3Context, bucket: string, rules: readonly LifecycleRule[]): void {
  const now = context.clock.now();
  const { store } = context;
  for (const upload of store.uploads.list(bucket)) {
    const isExpired = rules.some(({ AbortIncompleteMultipartUpload: abort, ...rule }) => {
      return abort && isSelected(rule, upload) && now >= dueAt(upload.initiatedAt, abort.DaysAfterInitiation);
    });
    if (isExpired) store.contents.release(store.transaction(() => store.uploads.remove(upload.id)));
  }
}
