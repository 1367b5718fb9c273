import { createWriteStream, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, ListBucketsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';

/** What was found in a lake. */
export interface LakeObjects {
  /** Objects with events, which are in the directory now. */
  events: number;
  /** Objects with records of which Firehose could not tell day and type. */
  errors: number;
}

const CREDENTIALS = { accessKeyId: 'operator', secretAccessKey: 'local' };
/** As the template of services/analytics has it: `s3://<bucket>/events/event_date=…/event_type=…/`. */
const EVENTS = /^events\/(event_date=\d{4}-\d\d-\d\d)\/(event_type=[\w.-]+)\/([^/]+)$/;

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
    const found = { events: 0, errors: 0 };
    for await (const key of keysOf(client, Bucket)) {
      if (key.startsWith('errors/')) found.errors += 1;
      const [, day, type, name] = EVENTS.exec(key) ?? [];
      if (day === undefined || type === undefined || name === undefined) continue;
      const file = join(directory, day, type, basename(name));
      mkdirSync(dirname(file), { recursive: true });
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: key }));
      await pipeline(Body as Readable, createWriteStream(file));
      found.events += 1;
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
  return streams.find(({ name }) => name === `millrace-analytics-${stage}-lake`)?.waitingBytes;
}
