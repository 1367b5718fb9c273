import { AwsError } from '../../core/aws-error.ts';

/**
 * The errors of S3 by code, with their HTTP status.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
 */
const statuses = {
  AccessControlListNotSupported: 400,
  AccessDenied: 403,
  AuthorizationQueryParametersError: 400,
  BadDigest: 400,
  BadRequest: 400,
  BucketAlreadyExists: 409,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  IllegalLocationConstraintException: 400,
  IllegalVersioningConfigurationException: 400,
  IncompleteBody: 400,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidBucketState: 409,
  InvalidDigest: 400,
  InvalidObjectState: 403,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidStorageClass: 400,
  InvalidTag: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedACLError: 400,
  MalformedPolicy: 400,
  MalformedPOSTRequest: 400,
  MalformedXML: 400,
  MaxMessageLengthExceeded: 400,
  MaxPostPreDataLengthExceeded: 400,
  InvalidPolicyDocument: 400,
  AccessForbidden: 403,
  MetadataTooLarge: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  NotModified: 304,
  NoSuchBucket: 404,
  NoSuchBucketPolicy: 404,
  NoSuchCORSConfiguration: 404,
  NoSuchKey: 404,
  NoSuchWebsiteConfiguration: 404,
  ObjectLockConfigurationNotFoundError: 404,
  ReplicationConfigurationNotFoundError: 404,
  NoSuchLifecycleConfiguration: 404,
  NoSuchPublicAccessBlockConfiguration: 404,
  NoSuchTagSet: 404,
  NoSuchUpload: 404,
  NoSuchVersion: 404,
  NotImplemented: 501,
  OwnershipControlsNotFoundError: 404,
  PreconditionFailed: 412,
  ServerSideEncryptionConfigurationNotFoundError: 404,
  SignatureDoesNotMatch: 403,
  InvalidAccessKeyId: 403,
  TooManyBuckets: 400,
  UserKeyMustBeSpecified: 400,
  XAmzContentSHA256Mismatch: 400,
} as const;

export type S3ErrorCode = keyof typeof statuses;

/** What an error answer carries beside code and message. */
interface S3ErrorDetails {
  /** Elements of the error document, e.g. `Key`. */
  details?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
}

/** An error answer of S3. */
export class S3Error extends AwsError {
  constructor(code: S3ErrorCode, message: string, { details = {}, headers = {} }: S3ErrorDetails = {}) {
    super(code, message, statuses[code], details, headers);
  }
}

/** @example throw s3Error('NoSuchKey', 'The specified key does not exist.', { Key: key }); */
export function s3Error(code: S3ErrorCode, message: string, details: Record<string, string> = {}): S3Error {
  return new S3Error(code, message, { details });
}

/** @example throw notImplemented('PutObjectRetention'); */
export function notImplemented(what: string): S3Error {
  return s3Error('NotImplemented', `S3 ${what} is not available on this machine.`);
}

/** @example throw invalidArgument('partNumber', '0', 'Part number must be an integer between 1 and 10000, inclusive'); */
export function invalidArgument(name: string, value: unknown, message: string): S3Error {
  return s3Error('InvalidArgument', message, { ArgumentName: name, ArgumentValue: String(value).slice(0, 200) });
}

export function noSuchBucket(bucket: string): S3Error {
  return s3Error('NoSuchBucket', 'The specified bucket does not exist', { BucketName: bucket });
}

export function noSuchKey(key: string): S3Error {
  return s3Error('NoSuchKey', 'The specified key does not exist.', { Key: key });
}

export function noSuchUpload(uploadId: string): S3Error {
  const message =
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.';
  return s3Error('NoSuchUpload', message, { UploadId: uploadId.slice(0, 200) });
}

export function preconditionFailed(condition: string): S3Error {
  return s3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
    Condition: condition,
  });
}
