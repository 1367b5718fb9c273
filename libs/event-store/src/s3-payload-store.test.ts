import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { buildApp } from 'fauxqs';
import { S3PayloadStore } from './s3-payload-store.ts';

let stop: () => Promise<unknown>;
let client: S3Client;
let store: S3PayloadStore;

beforeAll(async () => {
  const app = buildApp({ logger: false });
  await app.ready();
  const server = createServer((request, response) => app.routing(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = new S3Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await client.send(new CreateBucketCommand({ Bucket: 'payloads' }));
  store = new S3PayloadStore('payloads', client);
  stop = async () => {
    client.destroy();
    server.close();
    await app.close();
  };
});
afterAll(() => stop());

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
