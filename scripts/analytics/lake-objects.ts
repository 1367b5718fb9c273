import { createWriteStream, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, ListBucketsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';

/** What was found in a lake. */
export interface LakeObjects {
  /** Objects with events, which are in the directory now. */
  events: number;
  /** Objects with views, which are there too. */
  views: number;
  /** Objects with records of which Firehose could not tell the partition. */
  errors: number;
}

const CREDENTIALS = { accessKeyId: 'operator', secretAccessKey: 'local' };
/** As the templates of services/analytics have it: `s3://<bucket>/events/event_date=…/event_type=…/` and `…/views/view_date=…/`. */
const OBJECT = /^(?:(events)\/event_date=\d{4}-\d\d-\d\d\/event_type=[\w.-]+|views\/view_date=\d{4}-\d\d-\d\d)\/[^/]+$/;

/**
 * Copies the objects of a stage's lake into a directory.
 *
 * @param endpoint of S3
 * @returns undefined when the stage has no lake
 * @throws Error when S3 cannot be reached
 */
export async function copyLake(endpoint: string, stage: string, directory: string): Promise<LakeObjects | undefined> {
  const client = new S3Client({ endpoint, region: 'us-east-1', credentials: CREDENTIALS, forcePathStyle: true });
  try {
    const { Buckets = [] } = await client.send(new ListBucketsCommand({ Prefix: `millrace-analytics-${stage}-lake-` }));
    const Bucket = Buckets[0]?.Name;
    if (Bucket === undefined) return undefined;
    const found = { events: 0, views: 0, errors: 0 };
    for await (const key of keysOf(client, Bucket)) {
      if (key.startsWith('errors/')) found.errors += 1;
      const match = OBJECT.exec(key);
      if (!match) continue;
      const file = join(directory, dirname(key), basename(key));
      mkdirSync(dirname(file), { recursive: true });
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: key }));
      await pipeline(Body as Readable, createWriteStream(file));
      found[match[1] === undefined ? 'views' : 'events'] += 1;
    }
    return found;
  } finally {
    client.destroy();
  }
}

async function* keysOf(client: S3Client, Bucket: string): AsyncGenerator<string> {
  let ContinuationToken: string | undefined;
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket, ContinuationToken }));
    for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key;
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
}

/** Bytes that Firehose of a local cloud has not delivered yet; undefined if it does not say. */
export async function bufferedBytes(endpoint: string, stage: string): Promise<number | undefined> {
  const response = await fetch(`${endpoint}/_local/services`).catch(() => undefined);
  if (!response?.ok) return undefined;
  const { services } = (await response.json()) as { services?: { firehose?: object } };
  const streams = Object.values(services?.firehose ?? {}) as { name?: string; waitingBytes?: number }[];
  const own = ['lake', 'views'].map((kind) => `millrace-analytics-${stage}-${kind}`);
  return streams
    .filter(({ name }) => own.includes(name ?? ''))
    .reduce((sum, { waitingBytes = 0 }) => sum + waitingBytes, 0);
}
