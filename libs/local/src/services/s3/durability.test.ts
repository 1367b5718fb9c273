import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { type S3UnderTest, startS3UnderTest } from '../../../fixtures/s3-under-test.ts';

let dataDirectory: string;
const Bucket = 'durable';

beforeEach(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 's3 ü '));
});

afterEach(async () => {
  await rm(dataDirectory, { recursive: true });
});

function files(): string[] {
  const entries = readdirSync(join(dataDirectory, 's3', 'contents'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

async function read({ s3 }: S3UnderTest, Key: string): Promise<string> {
  const { Body } = await s3.call('GetObject', { Bucket, Key });
  const chunks: Uint8Array[] = [];
  for await (const chunk of Body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('with a data directory', () => {
  test('everything is there after a restart', async () => {
    const before = await startS3UnderTest({ dataDirectory });
    await before.s3.call('CreateBucket', { Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } });
    await before.s3.call('PutObject', { Bucket, Key: 'a', Body: 'content', Metadata: { b: 'c' }, Tagging: 'd=e' });
    await before.s3.call('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Enabled' } });
    const { UploadId } = await before.s3.call('CreateMultipartUpload', { Bucket, Key: 'u' });
    const { ETag } = await before.s3.call('UploadPart', {
      Bucket,
      Key: 'u',
      UploadId: String(UploadId),
      PartNumber: 1,
      Body: 'part',
    });
    await before[Symbol.asyncDispose]();
    await using after = await startS3UnderTest({ dataDirectory });
    expect(await read(after, 'a')).toBe('content');
    expect(await after.s3.call('HeadObject', { Bucket, Key: 'a' })).toMatchObject({
      Metadata: { b: 'c' },
      TagCount: 1,
      VersionId: 'null',
    });
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await after.s3.call('CompleteMultipartUpload', { Bucket, Key: 'u', UploadId: String(UploadId), MultipartUpload });
    expect(await read(after, 'u')).toBe('part');
  });

  test('notifications that have not been delivered are delivered after a restart', async () => {
    const before = await startS3UnderTest({ dataDirectory });
    const queueArn = 'arn:aws:sqs:eu-central-1:000000000000:q';
    await before.s3.call('CreateBucket', { Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } });
    const NotificationConfiguration = { QueueConfigurations: [{ QueueArn: queueArn, Events: ['s3:ObjectCreated:*'] }] };
    await before.s3.call('PutBucketNotificationConfiguration', { Bucket, NotificationConfiguration });
    before.failing.set(queueArn, new Error('busy'));
    await before.s3.call('PutObject', { Bucket, Key: 'a', Body: 'x' });
    await before[Symbol.asyncDispose]();
    await using after = await startS3UnderTest({ dataDirectory });
    await eventually(async () => {
      await after.clock.advance(10_000);
      expect(after.delivered).toMatchObject([
        { arn: queueArn, payload: { Records: [{ eventName: 'ObjectCreated:Put' }] } },
      ]);
    });
  });

  test('contents that no object has are deleted: replaced, deleted, refused and left behind', async () => {
    const s3 = await startS3UnderTest({ dataDirectory });
    await s3.s3.call('CreateBucket', { Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } });
    for (const Body of ['one', 'two', 'three']) await s3.s3.call('PutObject', { Bucket, Key: 'a', Body });
    await s3.s3.call('CopyObject', { Bucket, Key: 'copy', CopySource: `${Bucket}/a` });
    await s3.s3.call('DeleteObject', { Bucket, Key: 'a' });
    await expect(
      s3.s3.call('PutObject', { Bucket, Key: 'b', Body: 'x', ChecksumCRC32: 'AAAAAA==' }),
    ).rejects.toMatchObject({ code: 'BadDigest' });
    await expect(s3.s3.call('PutObject', { Bucket, Key: 'copy', Body: 'x', IfNoneMatch: '*' })).rejects.toMatchObject({
      code: 'PreconditionFailed',
    });
    const { UploadId } = await s3.s3.call('CreateMultipartUpload', { Bucket, Key: 'u' });
    for (const Body of ['1', '2'])
      await s3.s3.call('UploadPart', { Bucket, Key: 'u', UploadId: String(UploadId), PartNumber: 1, Body });
    await s3.s3.call('AbortMultipartUpload', { Bucket, Key: 'u', UploadId: String(UploadId) });
    await eventually(() => expect(files()).toHaveLength(1));
    expect(await read(s3, 'copy')).toBe('three');
    // As of a process that ended while it wrote.
    await s3.s3.store.contents.write(
      (async function* () {
        yield Buffer.from('left behind');
      })(),
    );
    expect(files()).toHaveLength(2);
    await s3[Symbol.asyncDispose]();
    await using after = await startS3UnderTest({ dataDirectory });
    expect(files()).toHaveLength(1);
    expect(await read(after, 'copy')).toBe('three');
  });

  test('one that cannot be made is an error that names it', async () => {
    await expect(startS3UnderTest({ dataDirectory: '/proc/nowhere' })).rejects.toThrow(
      'The data directory /proc/nowhere/s3 cannot be used',
    );
  });

  test('what has been acknowledged is there after SIGKILL', async () => {
    const script = `
      import { startS3 } from ${JSON.stringify(new URL('./api.ts', import.meta.url).href)};
      import { SystemClock } from ${JSON.stringify(new URL('../../core/clock.ts', import.meta.url).href)};
      const s3 = startS3({ region: 'us-east-1', accountId: '000000000000', dataDirectory: ${JSON.stringify(join(dataDirectory, 's3'))}, clock: new SystemClock(), deliver: async () => {}, warn: () => {} });
      await s3.call('CreateBucket', { Bucket: '${Bucket}' });
      for (let index = 0; ; index += 1) {
        await s3.call('PutObject', { Bucket: '${Bucket}', Key: String(index % 50), Body: 'content ' + index });
        process.stdout.write(index + '\\n');
      }`;
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    await eventually(() => expect(output.split('\n').length).toBeGreaterThan(200));
    child.kill('SIGKILL');
    await once(child, 'close');
    const last = Number(output.trimEnd().split('\n').at(-1));
    await using after = await startS3UnderTest({ dataDirectory });
    const inFlight = last + 1;
    for (let index = last - 48; index <= last; index += 1) {
      expect([`content ${index}`, `content ${inFlight}`]).toContain(await read(after, String(index % 50)));
    }
    const { Contents } = await after.s3.call('ListObjectsV2', { Bucket });
    expect(Contents).toHaveLength(50);
    expect(files()).toHaveLength(50);
  });
});
