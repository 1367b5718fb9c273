import { createHash, createHmac } from 'node:crypto';
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
import { credentials, region, type S3UnderTest, startS3UnderTest } from '../../../fixtures/s3-under-test.ts';

let s3: S3UnderTest;
const Bucket = 'raw-requests';

beforeAll(async () => {
  s3 = await startS3UnderTest();
  await s3.client.send(new CreateBucketCommand({ Bucket }));
  // Operators may do whatever the policy of a bucket does not deny.
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

interface Signer {
  presign: (request: object, options: object) => Promise<{ path: string; query: Record<string, string> }>;
}

/** The SDK's own signer. */
async function presign(
  method: string,
  path: string,
  query: Record<string, string> = {},
  expiresIn = 60,
): Promise<string> {
  const signer = (await (s3.client.config as unknown as { signer: (scheme: object) => Promise<Signer> }).signer({
    name: 'sigv4',
    signingName: 's3',
    signingRegion: region,
    properties: {},
  })) as Signer;
  const { host, port, hostname } = new URL(s3.url);
  const request = {
    method,
    protocol: 'http:',
    hostname,
    port: Number(port),
    path,
    query,
    headers: { host, 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' },
  };
  const signingDate = new Date(s3.clock.now());
  const signed = await signer.presign(request, {
    expiresIn,
    signingDate,
    unsignableHeaders: new Set(['content-type']),
  });
  return `${s3.url}${path}?${new URLSearchParams(signed.query)}`;
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
describe('presigned URLs', () => {
  const body = { method: 'PUT', body: 'presigned' };

  test('let whoever has them do what was signed, until they expire', async () => {
    const url = await presign('PUT', `/${Bucket}/a%20b`, { 'x-amz-meta-colour': 'green' });
    expect((await fetch(url, body)).status).toBe(200);
    expect(await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'a b' }))).toMatchObject({
      Metadata: { colour: 'green' },
    });
    const get = await presign('GET', `/${Bucket}/a%20b`, { 'response-content-type': 'text/csv' });
    const response = await fetch(get);
    expect([response.headers.get('content-type'), await response.text()]).toEqual(['text/csv', 'presigned']);
    await s3.clock.advance(60_001);
    expect(await codeOf(await fetch(get))).toEqual([403, 'AccessDenied']);
  });

  test('are refused for anything else', async () => {
    const url = await presign('PUT', `/${Bucket}/mine`);
    expect(await codeOf(await fetch(url.replace('/mine', '/other'), body))).toEqual([403, 'SignatureDoesNotMatch']);
    expect(await codeOf(await fetch(`${url}&x-amz-meta-a=b`, body))).toEqual([403, 'SignatureDoesNotMatch']);
    expect(await codeOf(await fetch(url))).toEqual([403, 'SignatureDoesNotMatch']);
    const longer = url.replace('X-Amz-Expires=60', 'X-Amz-Expires=600');
    expect(await codeOf(await fetch(longer, body))).toEqual([403, 'SignatureDoesNotMatch']);
    const withoutDate = url.replace(/X-Amz-Date=[^&]*&?/, '');
    expect(await codeOf(await fetch(withoutDate, body))).toEqual([400, 'AuthorizationQueryParametersError']);
    const week = await presign('GET', `/${Bucket}/mine`, {}, 604_800);
    expect(await codeOf(await fetch(week.replace('604800', '604801')))).toEqual([
      400,
      'AuthorizationQueryParametersError',
    ]);
    await expect(read('mine')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });
});

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
describe('forms', () => {
  const scope = [`20260301`, region, 's3', 'aws4_request'];

  function form(
    fields: Record<string, string>,
    conditions: unknown[],
    expiration = new Date(s3.clock.now() + 60_000),
  ): FormData {
    const all: Record<string, string> = {
      'x-amz-algorithm': 'AWS4-HMAC-SHA256',
      'x-amz-credential': [credentials.accessKeyId, ...scope].join('/'),
      ...fields,
    };
    const own = [{ 'x-amz-algorithm': all['x-amz-algorithm'] }, { 'x-amz-credential': all['x-amz-credential'] }];
    const policy = Buffer.from(
      JSON.stringify({ expiration: expiration.toISOString(), conditions: [...own, ...conditions] }),
    ).toString('base64');
    const key = scope.reduce<string | Buffer>(
      (secret, part) => createHmac('sha256', secret).update(part).digest(),
      `AWS4${credentials.secretAccessKey}`,
    );
    const data = new FormData();
    for (const [name, value] of Object.entries({
      ...all,
      policy,
      'x-amz-signature': createHmac('sha256', key).update(policy).digest('hex'),
    }))
      data.set(name, value);
    return data;
  }

  function post(data: FormData, content = 'a file', name = 'photo.jpg'): Promise<Response> {
    data.set('file', new File([content], name, { type: 'image/jpeg' }));
    data.set('behind', 'the file is not read');
    return fetch(`${s3.url}/${Bucket}`, { method: 'POST', body: data, redirect: 'manual' });
  }

  const conditions = [
    { bucket: Bucket },
    ['starts-with', '$key', 'user/'],
    ['content-length-range', 2, 10],
    ['starts-with', '$Content-Type', 'image/'],
    { 'x-amz-meta-by': 'ada' },
    { success_action_status: '201' },
  ];
  const fields = {
    // What S3 replaces with the name of the file.
    key: 'user/$' + '{filename}',
    'Content-Type': 'image/jpeg',
    'x-amz-meta-by': 'ada',
    success_action_status: '201',
  };

  test('upload a file as their policy allows', async () => {
    const response = await post(form(fields, conditions));
    expect(response.status).toBe(201);
    expect(await response.text()).toContain(`<Bucket>${Bucket}</Bucket><Key>user/photo.jpg</Key>`);
    const head = await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'user/photo.jpg' }));
    expect(head).toMatchObject({ ContentType: 'image/jpeg', Metadata: { by: 'ada' }, ContentLength: 6 });
    const redirect = { success_action_redirect: 'https://example.com/done?a=b' };
    const { success_action_status: _status, ...others } = fields;
    const redirected = await post(form({ ...others, ...redirect }, [...conditions.slice(0, 5), redirect]));
    expect([redirected.status, redirected.headers.get('location')]).toEqual([
      303,
      expect.stringContaining('https://example.com/done?a=b&bucket=raw-requests&key=user%2Fphoto.jpg&etag='),
    ]);
  });

  test('are refused for what their policy does not allow', async () => {
    const refused = async (data: FormData, content?: string) => codeOf(await post(data, content));
    expect(await refused(form({ ...fields, key: 'other/a' }, conditions))).toEqual([403, 'AccessDenied']);
    expect(await refused(form({ ...fields, 'x-amz-meta-more': 'x' }, conditions))).toEqual([403, 'AccessDenied']);
    expect(await refused(form(fields, conditions, new Date(s3.clock.now() - 1)))).toEqual([403, 'AccessDenied']);
    expect(await refused(form(fields, conditions), 'more than ten')).toEqual([400, 'EntityTooLarge']);
    expect(await refused(form(fields, conditions), 'x')).toEqual([400, 'EntityTooSmall']);
    const forged = form(fields, conditions);
    forged.set('x-amz-signature', '0'.repeat(64));
    expect(await refused(forged)).toEqual([403, 'SignatureDoesNotMatch']);
    const withoutFile = await fetch(`${s3.url}/${Bucket}`, { method: 'POST', body: form(fields, conditions) });
    expect(await codeOf(withoutFile)).toEqual([400, 'InvalidArgument']);
    const noForm = await s3.send(`${s3.url}/${Bucket}`, { method: 'POST', body: 'x' });
    expect(await codeOf(noForm)).toEqual([400, 'MalformedPOSTRequest']);
  });

  test('are refused without a policy, as nothing is public', async () => {
    const unsigned = new FormData();
    unsigned.set('key', 'unsigned');
    expect(await codeOf(await post(unsigned))).toEqual([403, 'AccessDenied']);
    await expect(read('unsigned')).rejects.toMatchObject({ name: 'NoSuchKey' });
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
