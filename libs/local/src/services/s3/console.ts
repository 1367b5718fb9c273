import type { NotificationConfiguration } from './notifications/configuration.ts';
import type { S3Store } from './store/index.ts';

/** A bucket as a console shows it. */
export interface BucketSummary {
  name: string;
  createdAt: string;
  versioning: string;
  objects: number;
  bytes: number;
  uploads: number;
  notifies: string[];
}

/** The buckets with what is in them. */
export function summarizeBuckets({ database, buckets, uploads }: S3Store): BucketSummary[] {
  const totals = database.prepare(
    'SELECT COUNT(*) AS objects, COALESCE(SUM(size), 0) AS bytes FROM versions WHERE bucket = ? AND latest = 1 AND delete_marker = 0',
  );
  return buckets.list().map(({ name, createdAt }) => {
    const { objects, bytes } = totals.get(name) as { objects: number; bytes: number };
    const notification = buckets.setting<NotificationConfiguration>(name, 'notification');
    return {
      name,
      createdAt: new Date(createdAt).toISOString(),
      versioning: buckets.setting<{ Status?: string }>(name, 'versioning')?.Status ?? 'never enabled',
      objects,
      bytes,
      uploads: uploads.list(name).length,
      notifies: [
        ...(notification?.targets.map(({ arn }) => arn) ?? []),
        ...(notification?.eventBridge ? ['EventBridge'] : []),
      ],
    };
  });
}
