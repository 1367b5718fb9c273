import type { Meter } from '../../core/usage.ts';

/** Requests that cost as PUT, COPY, POST and LIST do. https://aws.amazon.com/s3/pricing/ */
const dear = /^(Put|Post|Copy|List|Create|Complete|UploadPart)/;
/** Deletions and what cancels are free. */
const free = /^(Delete|Abort)/;

/** What the calls of S3 are counted by. */
export const s3Meters = {
  's3.writes': 'PUT, COPY, POST and LIST requests [function]',
  's3.reads': 'GET and all other requests [function]',
} as const satisfies Partial<Record<Meter, string>>;

/**
 * What a call is counted by; nothing for one that is free.
 * @example s3MeterOf('GetObject') // 's3.reads'
 */
export function s3MeterOf(operation: string): keyof typeof s3Meters | undefined {
  if (free.test(operation)) return undefined;
  return dear.test(operation) ? 's3.writes' : 's3.reads';
}
