import { createHmac } from 'node:crypto';
import { CreateBucketCommand, GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { credentials, region, type S3UnderTest, startS3UnderTest } from '../../../fixtures/s3-under-test.ts';

let s3: S3UnderTest;
const Bucket = 'signatures';

beforeAll(async () => {
  s3 = await startS3UnderTest();
  await s3.client.send(new CreateBucketCommand({ Bucket }));
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

  test('allow the signed request to anyone who has the URL, until they expire', async () => {
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

  test('are refused for any other request than the signed one', async () => {
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

// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
test.each([
  ['a URL', '?AWSAccessKeyId=AKIDEXAMPLE&Signature=x&Expires=1900000000', {}],
  ['a header', '', { authorization: 'AWS AKIDEXAMPLE:x' }],
])('a signature of version 2 in %s is refused, and what to use is said', async (_name, query, headers) => {
  const response = await fetch(`${s3.url}/${Bucket}/signed-before${query}`, { headers: { ...headers } });
  expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('use AWS4-HMAC-SHA256')]);
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
      expect.stringContaining('https://example.com/done?a=b&bucket=signatures&key=user%2Fphoto.jpg&etag='),
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
