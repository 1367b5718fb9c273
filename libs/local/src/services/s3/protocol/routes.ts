import { invalidArgument, s3Error } from '../errors.ts';

type Methods = Partial<Record<'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE', string>>;

/** Operations that get, put and delete one thing. */
const document = (get: string, put?: string, remove?: string): Methods => ({
  GET: get,
  ...(put !== undefined && { PUT: put }),
  ...(remove !== undefined && { DELETE: remove }),
});

const configuration = (name: string, remove = `DeleteBucket${name}`): Methods =>
  document(`GetBucket${name}`, `PutBucket${name}`, remove);

/**
 * The operations by what the query asks for of a bucket, all of those that S3 has: an operation that is not here is refused by
 * its name, and never taken for another one.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
const ofBuckets: Readonly<Record<string, Methods>> = {
  abac: document('GetBucketAbac', 'PutBucketAbac'),
  accelerate: document('GetBucketAccelerateConfiguration', 'PutBucketAccelerateConfiguration'),
  acl: document('GetBucketAcl', 'PutBucketAcl'),
  analytics: configuration('AnalyticsConfiguration'),
  cors: configuration('Cors'),
  delete: { POST: 'DeleteObjects' },
  encryption: configuration('Encryption'),
  'intelligent-tiering': configuration('IntelligentTieringConfiguration'),
  inventory: configuration('InventoryConfiguration'),
  lifecycle: configuration('LifecycleConfiguration', 'DeleteBucketLifecycle'),
  'list-type': { GET: 'ListObjectsV2' },
  location: { GET: 'GetBucketLocation' },
  logging: document('GetBucketLogging', 'PutBucketLogging'),
  metadataAnnotationTable: { PUT: 'UpdateBucketMetadataAnnotationTableConfiguration' },
  metadataConfiguration: {
    ...document('GetBucketMetadataConfiguration', undefined, 'DeleteBucketMetadataConfiguration'),
    POST: 'CreateBucketMetadataConfiguration',
  },
  metadataInventoryTable: { PUT: 'UpdateBucketMetadataInventoryTableConfiguration' },
  metadataJournalTable: { PUT: 'UpdateBucketMetadataJournalTableConfiguration' },
  metadataTable: {
    ...document('GetBucketMetadataTableConfiguration', undefined, 'DeleteBucketMetadataTableConfiguration'),
    POST: 'CreateBucketMetadataTableConfiguration',
  },
  metrics: configuration('MetricsConfiguration'),
  notification: document('GetBucketNotificationConfiguration', 'PutBucketNotificationConfiguration'),
  'object-lock': document('GetObjectLockConfiguration', 'PutObjectLockConfiguration'),
  ownershipControls: configuration('OwnershipControls'),
  policy: configuration('Policy'),
  policyStatus: { GET: 'GetBucketPolicyStatus' },
  publicAccessBlock: document('GetPublicAccessBlock', 'PutPublicAccessBlock', 'DeletePublicAccessBlock'),
  replication: configuration('Replication'),
  requestPayment: document('GetBucketRequestPayment', 'PutBucketRequestPayment'),
  session: { GET: 'CreateSession' },
  tagging: configuration('Tagging'),
  uploads: { GET: 'ListMultipartUploads' },
  versioning: document('GetBucketVersioning', 'PutBucketVersioning'),
  versions: { GET: 'ListObjectVersions' },
  website: configuration('Website'),
};

/** The same of an object. */
const ofObjects: Readonly<Record<string, Methods>> = {
  acl: document('GetObjectAcl', 'PutObjectAcl'),
  annotation: document('GetObjectAnnotation', 'PutObjectAnnotation', 'DeleteObjectAnnotation'),
  attributes: { GET: 'GetObjectAttributes' },
  encryption: { PUT: 'UpdateObjectEncryption' },
  'legal-hold': document('GetObjectLegalHold', 'PutObjectLegalHold'),
  renameObject: { PUT: 'RenameObject' },
  restore: { POST: 'RestoreObject' },
  retention: document('GetObjectRetention', 'PutObjectRetention'),
  select: { POST: 'SelectObjectContent' },
  tagging: document('GetObjectTagging', 'PutObjectTagging', 'DeleteObjectTagging'),
  torrent: { GET: 'GetObjectTorrent' },
  uploadId: { GET: 'ListParts', PUT: 'UploadPart', POST: 'CompleteMultipartUpload', DELETE: 'AbortMultipartUpload' },
  uploads: { POST: 'CreateMultipartUpload' },
};

const plainBucket: Methods = {
  GET: 'ListObjects',
  HEAD: 'HeadBucket',
  PUT: 'CreateBucket',
  POST: 'PostObject',
  DELETE: 'DeleteBucket',
};
const plainObject: Methods = { GET: 'GetObject', HEAD: 'HeadObject', PUT: 'PutObject', DELETE: 'DeleteObject' };

/** Of these a bucket has several, and the query names one. */
const listed = new Set(['analytics', 'intelligent-tiering', 'inventory', 'metrics']);

export interface Addressed {
  method: string;
  bucket: string | undefined;
  key: string | undefined;
  query: URLSearchParams;
  /** Has the header x-amz-copy-source. */
  isCopy: boolean;
}

/**
 * Finds the operation that a request asks for.
 *
 * @throws S3Error MethodNotAllowed; InvalidArgument for a query that asks for two operations, or for a part of one
 * @example operationOf({ method: 'PUT', bucket: 'b', key: 'k', query: new URLSearchParams('tagging'), isCopy: false }) // 'PutObjectTagging'
 */
export function operationOf({ method, bucket, key, query, isCopy }: Addressed): string {
  if (bucket === undefined) return oneOf({ GET: 'ListBuckets' }, method);
  const table = key === undefined ? ofBuckets : ofObjects;
  const names = [...new Set(query.keys())].filter((name) => Object.hasOwn(table, name));
  const [name, ...others] = names;
  if (others.length > 0) {
    throw invalidArgument('ResourceType', name, `Conflicting query string parameters: ${names.join(', ')}`);
  }
  if (name === undefined) {
    if (key !== undefined && query.has('partNumber') && method === 'PUT') {
      throw invalidArgument(
        'partNumber',
        query.get('partNumber'),
        'This operation does not accept a query-string partNumber without an uploadId.',
      );
    }
    const operation = oneOf(key === undefined ? plainBucket : plainObject, method);
    return operation === 'PutObject' && isCopy ? 'CopyObject' : operation;
  }
  const operation = oneOf(table[name] as Methods, method);
  if (operation === 'UploadPart') {
    if (!query.has('partNumber'))
      throw invalidArgument('partNumber', '', 'An upload of a part must have a query-string partNumber.');
    return isCopy ? 'UploadPartCopy' : operation;
  }
  if (operation === 'ListObjectsV2' && query.get(name) !== '2') return 'ListObjects';
  if (method === 'GET' && listed.has(name) && !query.has('id')) return `${operation.replace('Get', 'List')}s`;
  return operation === 'GetObjectAnnotation' && !query.has('annotationName') ? 'ListObjectAnnotations' : operation;
}

function oneOf(methods: Methods, method: string): string {
  const operation = Object.hasOwn(methods, method) ? methods[method as keyof Methods] : undefined;
  if (operation !== undefined) return operation;
  throw s3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
    Method: method.slice(0, 20),
  });
}
