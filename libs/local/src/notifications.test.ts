import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import type { Runtime } from './core/runtime.ts';
import { startRuntime } from './runtime.ts';

let dataDirectory: string;
let runtime: Runtime;
let s3: S3Client;
let sqs: SQSClient;
const Bucket = 'albums-dev';

const start = async (): Promise<void> => {
  runtime = await startRuntime({
    services: [join(import.meta.dirname, '..', 'fixtures', 'albums')],
    ...{ apiPort: 0, awsPort: 0, dataDirectory },
  });
  const credentials = { accessKeyId: 'operator', secretAccessKey: 'any' };
  const settings = { endpoint: runtime.awsUrl, region: 'us-east-1', credentials };
  s3 = new S3Client({ ...settings, forcePathStyle: true });
  sqs = new SQSClient(settings);
};

beforeAll(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'albums-'));
  await start();
});

afterAll(async () => {
  await stop();
  await rm(dataDirectory, { recursive: true });
});

async function stop(): Promise<void> {
  s3.destroy();
  sqs.destroy();
  await runtime.stop();
}

const upload = (Key: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body: 'a photo' }));

/** The content of an object; undefined while it is not there. */
async function content(Key: string): Promise<string | undefined> {
  const output = await s3.send(new GetObjectCommand({ Bucket, Key })).catch((error: unknown) => {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  });
  return output?.Body?.transformToString();
}

interface S3Event {
  detail: { object: { sequencer: string } };
}

/** The events that the queue has got, in the order in which they happened. */
async function receivedEvents(count: number): Promise<S3Event[]> {
  const QueueUrl = `${runtime.awsUrl}/000000000000/albums-dev`;
  const events: S3Event[] = [];
  while (events.length < count) {
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
    if (!Messages) throw new Error(`Only ${events.length} of ${count} events have come`);
    for (const { Body = '' } of Messages) events.push(JSON.parse(Body));
  }
  return events.sort((one, other) => (one.detail.object.sequencer < other.detail.object.sequencer ? -1 : 1));
}

test('an upload calls a function, whose copy tells a topic, and the default bus tells of both', async () => {
  expect(runtime.warnings).toEqual([]);
  await upload('photos/a b.jpg');
  await eventually(async () => expect(await content('thumbnails/a b.jpg')).toBe('a photo'));
  await eventually(async () =>
    expect(JSON.parse((await content('recorded/thumbnails/a+b.jpg')) ?? '{}')).toMatchObject({
      Records: [{ eventName: 'ObjectCreated:Copy', userIdentity: { principalId: expect.stringContaining('resize') } }],
    }),
  );
  const events = await receivedEvents(3);
  expect(events).toMatchObject(
    [
      ['photos/a b.jpg', 'PutObject'],
      ['thumbnails/a b.jpg', 'CopyObject'],
      ['recorded/thumbnails/a+b.jpg', 'PutObject'],
    ].map(([key, reason]) => ({
      ...{ source: 'aws.s3', 'detail-type': 'Object Created', resources: [`arn:aws:s3:::${Bucket}`] },
      detail: { bucket: { name: Bucket }, object: { key, size: expect.any(Number) }, reason },
    })),
  );
});

test('objects are there after a restart, and notifications go on', async () => {
  await stop();
  await start();
  expect(await content('photos/a b.jpg')).toBe('a photo');
  await upload('photos/c.jpg');
  await eventually(async () => expect(await content('thumbnails/c.jpg')).toBe('a photo'));
});
