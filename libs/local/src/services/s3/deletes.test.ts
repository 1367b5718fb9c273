import { CreateBucketCommand, DeleteObjectsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type S3UnderTest, startS3UnderTest } from '../../../fixtures/s3-under-test.ts';

let s3: S3UnderTest;
const Bucket = 'deletes';

beforeAll(async () => {
  s3 = await startS3UnderTest();
  await s3.client.send(new CreateBucketCommand({ Bucket }));
});

afterAll(async () => {
  await s3[Symbol.asyncDispose]();
});

async function put(Key: string, Body = 'content'): Promise<void> {
  await s3.client.send(new PutObjectCommand({ Bucket, Key, Body }));
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
describe('deletes of several objects', () => {
  test('tell of each, and take those that are not there for deleted', async () => {
    await put('one');
    const Objects = [{ Key: 'one' }, { Key: 'not there' }, { Key: 'x'.repeat(1025) }];
    const { Deleted, Errors } = await s3.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Deleted).toEqual([{ Key: 'one' }, { Key: 'not there' }]);
    expect(Errors).toMatchObject([{ Code: 'KeyTooLongError' }]);
    const quiet = await s3.client.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'one' }], Quiet: true } }),
    );
    expect(quiet.Deleted).toBeUndefined();
  });

  test('must have a checksum, and at most 1,000 keys', async () => {
    const body = '<Delete><Object><Key>a</Key></Object></Delete>';
    const response = await s3.send(`${s3.url}/${Bucket}?delete`, { method: 'POST', body });
    expect(await response.text()).toContain('Missing required header for this request: Content-MD5');
    const Objects = Array.from({ length: 1001 }, (_, index) => ({ Key: String(index) }));
    const command = new DeleteObjectsCommand({ Bucket, Delete: { Objects } });
    await expect(s3.client.send(command)).rejects.toMatchObject({ name: 'MalformedXML' });
  });
});
