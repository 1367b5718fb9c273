import * as sdk from '@aws-sdk/client-s3';
import { CreateBucketCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type S3UnderTest, startS3UnderTest } from '../../../fixtures/s3-under-test.ts';
import { operationOf } from './protocol/routes.ts';

/** What the SDK knows of an operation: its name, method, path and query. */
type OperationSchema = [kind: number, namespace: string, name: string, traits: { http: [string, string, number] }];

const schemas = Object.values(sdk as Record<string, unknown>).filter((value): value is OperationSchema => {
  return Array.isArray(value) && value[0] === 9 && Array.isArray((value as OperationSchema)[3]?.http);
});

/** Their path alone does not tell them from another operation, or they are not for general purpose buckets. */
const special = new Set(['WriteGetObjectResponse', 'ListDirectoryBuckets', 'ListObjects']);

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
describe('every operation of the SDK', () => {
  test('is in the SDK', () => {
    expect(schemas.length).toBeGreaterThan(100);
  });

  test.each(schemas.filter(([, , name]) => !special.has(name)).map((schema) => [schema[2], schema[3].http] as const))(
    '%s is found by its request, and taken for no other',
    (name, [method, path]) => {
      const [, search = ''] = path.split('?');
      const query = new URLSearchParams(search);
      if (name === 'UploadPart' || name === 'UploadPartCopy') query.set('partNumber', '1');
      if (
        ['UploadPart', 'UploadPartCopy', 'ListParts', 'CompleteMultipartUpload', 'AbortMultipartUpload'].includes(name)
      )
        query.set('uploadId', 'u');
      if (name === 'GetObjectAnnotation') query.set('annotationName', 'a');
      if (/^(Get|Put|Delete)Bucket(Analytics|IntelligentTiering|Inventory|Metrics)/.test(name)) query.set('id', 'i');
      const key = path.startsWith('/{Key+}') ? 'k' : undefined;
      const bucket = name === 'ListBuckets' ? undefined : 'b';
      expect(operationOf({ method, bucket, key, query, isCopy: /Copy/.test(name) })).toBe(name);
    },
  );
});

describe('requests', () => {
  let s3: S3UnderTest;
  const Bucket = 'routes';

  beforeAll(async () => {
    s3 = await startS3UnderTest();
    await s3.client.send(new CreateBucketCommand({ Bucket }));
  });

  beforeEach(() => s3.client.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'content' })));

  afterAll(async () => {
    await s3[Symbol.asyncDispose]();
  });

  async function send(method: string, path: string, body?: string, headers: Record<string, string> = {}) {
    const response = await s3.send(s3.url + path, { method, headers, ...(body !== undefined && { body }) });
    const text = await response.text();
    return {
      status: response.status,
      code: /<Code>(\w+)/.exec(text)?.[1],
      message: /<Message>([^<]*)/.exec(text)?.[1],
    };
  }

  test.each([
    ['PUT', `/${Bucket}/kept?retention`, 'PutObjectRetention'],
    ['PUT', `/${Bucket}/kept?legal-hold`, 'PutObjectLegalHold'],
    ['GET', `/${Bucket}/kept?torrent`, 'GetObjectTorrent'],
    ['POST', `/${Bucket}/kept?restore`, 'RestoreObject'],
    ['POST', `/${Bucket}/kept?select&select-type=2`, 'SelectObjectContent'],
    ['PUT', `/${Bucket}/kept?encryption`, 'UpdateObjectEncryption'],
    ['PUT', `/${Bucket}/kept?renameObject`, 'RenameObject'],
    ['DELETE', `/${Bucket}/kept?annotation`, 'DeleteObjectAnnotation'],
    ['PUT', `/${Bucket}?website`, 'PutBucketWebsite'],
    ['DELETE', `/${Bucket}?website`, 'DeleteBucketWebsite'],
    ['PUT', `/${Bucket}?replication`, 'PutBucketReplication'],
    ['GET', `/${Bucket}?inventory`, 'ListBucketInventoryConfigurations'],
    ['DELETE', `/${Bucket}?metrics&id=a`, 'DeleteBucketMetricsConfiguration'],
  ])('%s %s is refused as %s, and changes nothing', async (method, path, operation) => {
    const { status, code, message } = await send(
      method,
      path,
      method === 'PUT' || method === 'POST' ? '<A/>' : undefined,
    );
    expect({ status, code }).toEqual({ status: 501, code: 'NotImplemented' });
    expect(message).toContain(operation);
    const { Body } = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'kept' }));
    expect(await Body?.transformToString()).toBe('content');
  });

  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
  test('that would make an object public are refused, as the owner of a bucket is enforced', async () => {
    expect(await send('PUT', `/${Bucket}/kept?acl`, '<AccessControlPolicy/>')).toMatchObject({
      status: 400,
      code: 'AccessControlListNotSupported',
    });
    expect(await send('PUT', `/${Bucket}/public`, 'x', { 'x-amz-acl': 'public-read' })).toMatchObject({
      code: 'AccessControlListNotSupported',
    });
    expect(await send('PUT', `/${Bucket}/public`, 'x', { 'x-amz-grant-read': 'id=a' })).toMatchObject({
      code: 'AccessControlListNotSupported',
    });
    await expect(s3.client.send(new HeadObjectCommand({ Bucket, Key: 'public' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });

  test.each([
    { 'x-amz-object-lock-mode': 'GOVERNANCE' },
    { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' },
    { 'x-amz-write-offset-bytes': '7' },
    { 'if-none-match': '"etag"' },
  ])('with %j are refused, and nothing is written', async (headers) => {
    expect(await send('PUT', `/${Bucket}/refused`, 'x', headers as unknown as Record<string, string>)).toMatchObject({
      status: 501,
      code: 'NotImplemented',
    });
    await expect(s3.client.send(new HeadObjectCommand({ Bucket, Key: 'refused' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });

  test('with a method that the resource does not have are refused', async () => {
    expect(await send('POST', `/${Bucket}/kept`, 'x')).toMatchObject({ status: 405, code: 'MethodNotAllowed' });
    expect(await send('PUT', `/${Bucket}/kept?torrent`, 'x')).toMatchObject({ status: 405 });
    expect(await send('DELETE', `/${Bucket}?location`)).toMatchObject({ status: 405 });
    expect(await send('DELETE', '/')).toMatchObject({ status: 405 });
  });

  test('with the query parameters of two operations, or with half of those that one needs, are refused', async () => {
    expect(await send('PUT', `/${Bucket}/kept?acl&tagging`, 'x')).toMatchObject({
      status: 400,
      code: 'InvalidArgument',
    });
    expect(await send('PUT', `/${Bucket}/kept?partNumber=1`, 'x')).toMatchObject({ code: 'InvalidArgument' });
    expect(await send('PUT', `/${Bucket}/kept?uploadId=u`, 'x')).toMatchObject({ code: 'InvalidArgument' });
  });

  test.each(['/routes/%E0', '/%FF/a'])('with the path %s are refused', async (path) => {
    expect(await send('GET', path)).toMatchObject({ status: 400, code: 'BadRequest' });
  });

  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
  test('may have the bucket in their host', async () => {
    await using hosted = await startS3UnderTest({ pathStyle: false });
    await hosted.client.send(new CreateBucketCommand({ Bucket: 'in.host' }));
    await hosted.client.send(new PutObjectCommand({ Bucket: 'in.host', Key: 'a/b', Body: 'x' }));
    expect(await hosted.s3.call('HeadObject', { Bucket: 'in.host', Key: 'a/b' })).toMatchObject({ ContentLength: 1 });
  });

  test('with a document that is not one are answered with MalformedXML', async () => {
    for (const body of [
      '',
      'text',
      '<Tagging>',
      '<!DOCTYPE a [<!ENTITY b "c">]><Tagging/>',
      '<Other/>',
      '<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>',
    ]) {
      expect(await send('PUT', `/${Bucket}/kept?tagging`, body)).toMatchObject({ status: 400, code: 'MalformedXML' });
    }
  });
});
