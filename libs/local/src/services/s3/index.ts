export { s3Access } from './access.ts';
export { type S3, type S3Options, startS3 } from './api.ts';
export { type BucketSummary, summarizeBuckets } from './console.ts';
export { S3Error } from './errors.ts';
export type { S3Caller, S3Input, S3Output } from './operations/input.ts';
export { createS3Handler, type S3HandlerOptions } from './protocol/handler.ts';
export { readRequest } from './protocol/request.ts';
export { type S3ResourceType, s3ResourceTypes } from './resource-types.ts';
export { s3Meters, s3Usage } from './usage.ts';
