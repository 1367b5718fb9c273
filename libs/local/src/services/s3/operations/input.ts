import type { IncomingBody } from '../content/receive.ts';
import type { Structure } from '../protocol/xml-shape.ts';

/**
 * The members of all operations' inputs, with the names of the API reference. Each operation reads those that its page has.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
export interface S3Input {
  Bucket?: string;
  Key?: string;
  VersionId?: string;
  Body?: IncomingBody;
  ContentLength?: number;
  ContentMD5?: string;
  /** Of the content, in hexadecimal: the header x-amz-content-sha256 where it is a hash. */
  ContentSHA256?: string;
  Metadata?: Record<string, string>;
  MetadataDirective?: string;
  Tagging?: string | Structure;
  TaggingDirective?: string;
  CopySource?: string;
  CopySourceRange?: string;
  UploadId?: string;
  PartNumber?: number;
  Range?: string;
  IfMatch?: string;
  IfNoneMatch?: string;
  IfModifiedSince?: string;
  IfUnmodifiedSince?: string;
  Prefix?: string;
  Delimiter?: string;
  EncodingType?: string;
  MaxKeys?: number;
  Marker?: string;
  StartAfter?: string;
  ContinuationToken?: string;
  FetchOwner?: boolean;
  KeyMarker?: string;
  VersionIdMarker?: string;
  UploadIdMarker?: string;
  MaxUploads?: number;
  MaxParts?: number;
  PartNumberMarker?: number;
  MaxBuckets?: number;
  ExpectedBucketOwner?: string;
  ExpectedSourceBucketOwner?: string;
  ChecksumAlgorithm?: string;
  ChecksumMode?: string;
  ChecksumType?: string;
  ObjectAttributes?: string[];
  MpuObjectSize?: number;
  StorageClass?: string;
  ServerSideEncryption?: string;
  SSEKMSKeyId?: string;
  BucketKeyEnabled?: boolean;
  ACL?: string;
  Delete?: Structure;
  MultipartUpload?: Structure;
  CreateBucketConfiguration?: Structure;
  /** A setting of a bucket, by its own name. */
  [member: string]: unknown;
}

/** Who calls. */
export interface S3Caller {
  /** The account; empty for a request that is not signed. */
  accountId?: string;
  /** Of IAM, e.g. `AROA…:session`; the account unless given. */
  principalId?: string;
  sourceIp?: string;
  requestId?: string;
}

export type S3Output = Record<string, unknown>;
export type S3Operation = (input: S3Input, caller: S3Caller) => S3Output | Promise<S3Output>;
