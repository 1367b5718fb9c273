import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startS3Server } from '@millrace/local/s3-server';
import { S3PayloadStore } from './s3-payload-store.ts';

let server: Awaited<ReturnType<typeof startS3Server>>;
let client: S3Client;
let store: S3PayloadStore;

beforeAll(async () => {
  server = await startS3Server();
  client = new S3Client({
    endpoint: server.endpoint,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await client.send(new CreateBucketCommand({ Bucket: 'payloads' }));
  store = new S3PayloadStore('payloads', client);
});
afterAll(async () => {
  client.destroy();
  await server[Symbol.asyncDispose]();
});

test('gives back what was put, also twice', async () => {
  const bytes = new Uint8Array([0, 1, 254, 255]);
  await store.put('ORDER=23o-1/abc', bytes);
  await store.put('ORDER=23o-1/abc', bytes);

  expect([...((await store.get('ORDER=23o-1/abc')) ?? [])]).toEqual([...bytes]);
});

test('says that there is no such object', async () => {
  expect(await store.get('ORDER=23o-1/none')).toBeUndefined();
});

test('does not take another failure for a missing object', async () => {
  await expect(new S3PayloadStore('no-such-bucket', client).get('key')).rejects.toThrow();
});
