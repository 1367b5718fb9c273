import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { credentials, type S3UnderTest, startS3UnderTest } from '../../../fixtures/s3-under-test.ts';

let s3: S3UnderTest;
const Bucket = 'raw-requests';

beforeAll(async () => {
  s3 = await startS3UnderTest();
  await s3.client.send(new CreateBucketCommand({ Bucket }));
  // Operators may do everything that the policy of a bucket does not deny.
  const denied = (Action: string, key: string) => ({
    ...{ Effect: 'Deny', Principal: '*', Action },
    Resource: `arn:aws:s3:::${Bucket}/${key}`,
  });
  const Statement = [
    denied('s3:GetObject', 'forbidden'),
    denied('s3:PutObject', 'forbidden'),
    denied('s3:DeleteObject', 'protected'),
  ];
  await s3.s3.call('PutBucketPolicy', { Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) });
});

afterAll(async () => {
  await s3[Symbol.asyncDispose]();
});

async function read(Key: string): Promise<string | undefined> {
  return (await s3.client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();
}

async function codeOf(response: Response): Promise<[number, string | undefined]> {
  return [response.status, /<Code>(\w+)/.exec(await response.text())?.[1]];
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
describe('bodies in chunks', () => {
  const send = (Key: string, body: string, headers: Record<string, string> = {}) =>
    s3.send(`${s3.url}/${Bucket}/${Key}`, {
      method: 'PUT',
      body,
      headers: {
        'content-encoding': 'aws-chunked,gzip',
        'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
        'x-amz-decoded-content-length': '9',
        ...headers,
      },
    });

  test('are decoded, signed or not, and their checksum is in the trailer', async () => {
    const signature = `;chunk-signature=${'0'.repeat(64)}`;
    expect(
      (await send('signed', `5${signature}\r\n12345\r\n4${signature}\r\n6789\r\n0${signature}\r\n\r\n`)).status,
    ).toBe(200);
    expect(await read('signed')).toBe('123456789');
    const trailer = { 'x-amz-trailer': 'x-amz-checksum-crc32c' };
    const body = '9\r\n123456789\r\n0\r\nx-amz-checksum-crc32c:4waSgw==\r\n\r\n';
    expect((await send('trailer', body, trailer)).headers.get('x-amz-checksum-crc32c')).toBe('4waSgw==');
    const head = await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'trailer', ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({ ChecksumCRC32C: '4waSgw==', ContentEncoding: 'gzip', ContentLength: 9 });
    expect(await codeOf(await send('refused', body.replace('4wa', '4wb'), trailer))).toEqual([400, 'BadDigest']);
  });

  test.each([
    ['9\r\n12345', 'IncompleteBody'],
    ['5\r\n12345\r\n0\r\n\r\n', 'IncompleteBody'],
    ['a\r\n1234567890\r\n0\r\n\r\n', 'IncompleteBody'],
    ['nine\r\n123456789\r\n0\r\n\r\n', 'InvalidRequest'],
    ['9\r\n1234567890\r\n0\r\n\r\n', 'InvalidRequest'],
    ['9\r\n123456789\r\n0\r\nno trailer\r\n\r\n', 'InvalidRequest'],
  ])('are refused where they are not encoded properly: %j', async (body, code) => {
    expect(await codeOf(await send('refused', body))).toEqual([400, code]);
    await expect(read('refused')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('are documents as well', async () => {
    const text = '<Delete><Object><Key>signed</Key></Object></Delete>';
    const headers = {
      'content-encoding': 'aws-chunked',
      'content-md5': createHash('md5').update(text).digest('base64'),
    };
    const remove = (length: number) =>
      s3.send(`${s3.url}/${Bucket}?delete`, {
        method: 'POST',
        body: `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`,
        headers: { ...headers, 'x-amz-decoded-content-length': String(length) },
      });
    expect(await codeOf(await remove(text.length + 1))).toEqual([400, 'IncompleteBody']);
    expect(await read('signed')).toBe('123456789');
    expect((await remove(text.length)).status).toBe(200);
    await expect(read('signed')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('that end before their length leave no object', async () => {
    const socket = connect(Number(new URL(s3.url).port), '127.0.0.1');
    await once(socket, 'connect');
    const head = ['PUT /raw-requests/broken HTTP/1.1', `Host: ${new URL(s3.url).host}`, 'Content-Length: 100'];
    const authorization = `Authorization: AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/20260301/r/s3/aws4_request`;
    socket.write(`${[...head, authorization].join('\r\n')}\r\n\r\nhalf`);
    socket.destroySoon();
    await once(socket, 'close');
    await expect(read('broken')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });
});

describe('errors', () => {
  // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
  test('are documents with code, message, resource and request id', async () => {
    const response = await s3.send(`${s3.url}/${Bucket}/a%26b`);
    const id = response.headers.get('x-amz-request-id');
    expect(await response.text()).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a&#38;b</Key><Resource>/${Bucket}/a%26b</Resource><RequestId>${id}</RequestId></Error>`,
    );
  });

  test('of permissions come before the body is read', async () => {
    await expect(s3.client.send(new PutObjectCommand({ Bucket, Key: 'forbidden', Body: 'x' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    expect(await codeOf(await s3.send(`${s3.url}/${Bucket}/forbidden`))).toEqual([403, 'AccessDenied']);
  });

  test('of permissions know the objects that are to be deleted', async () => {
    await s3.s3.call('PutObject', { Bucket, Key: 'protected', Body: 'x' });
    const Delete = { Objects: [{ Key: 'protected' }] };
    await expect(s3.client.send(new DeleteObjectsCommand({ Bucket, Delete }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    expect(await read('protected')).toBe('x');
  });
});
