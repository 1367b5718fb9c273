import type { S3Output } from './operations/input.ts';

/** Requests that cost as PUT, COPY, POST and LIST do. https://aws.amazon.com/s3/pricing/ */
const dear = /^(Put|Post|Copy|List|Create|Complete|UploadPart)/;
/** Deletions and what cancels are free. */
const free = /^(Delete|Abort)/;

/** What is counted of the calls of S3, with its unit. */
export const s3Meters = {
  's3.writes': 'PUT, COPY, POST and LIST requests',
  's3.reads': 'GET and all other requests',
  's3.bytesOut': 'bytes of contents that were read',
} as const;

export type S3Meter = keyof typeof s3Meters;

/**
 * What a call is counted as.
 * @example s3Usage('GetObject', { ContentLength: 7 }) // [['s3.reads', 1], ['s3.bytesOut', 7]]
 */
export function s3Usage(operation: string, output: S3Output): [meter: S3Meter, amount: number][] {
  if (free.test(operation)) return [];
  if (dear.test(operation)) return [['s3.writes', 1]];
  if (operation !== 'GetObject') return [['s3.reads', 1]];
  return [
    ['s3.reads', 1],
    ['s3.bytesOut', Number(output.ContentLength ?? 0)],
  ];
}
