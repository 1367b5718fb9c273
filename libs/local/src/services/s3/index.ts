export { type S3, type S3Options, startS3 } from './api.ts';
export { S3Error } from './errors.ts';
export type { S3Caller, S3Input, S3Output } from './operations/input.ts';
export { createS3Handler, type S3HandlerOptions } from './protocol/handler.ts';
export { readRequest } from './protocol/request.ts';
