/**
 * The limits of S3 that the code below shares.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 */
export const s3Limits = {
  /** UTF-8 bytes. */
  keyBytes: 1024,
  /** Names and values of user-defined metadata. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
  metadataBytes: 2048,
  /** One PutObject, UploadPart or CopyObject. */
  putBytes: 5 * 1024 ** 3,
  /** A part that is not the last. */
  smallestPartBytes: 5 * 1024 ** 2,
  partNumber: 10_000,
  listed: 1000,
  deletedObjects: 1000,
  buckets: 10_000,
  objectTags: 10,
  bucketTags: 50,
  tagKeyLength: 128,
  tagValueLength: 256,
  corsRules: 100,
  lifecycleRules: 1000,
  notificationConfigurations: 100,
  policyBytes: 20 * 1024,
  /** A request whose body is a document. */
  documentBytes: 2 * 1024 ** 2,
} as const;
