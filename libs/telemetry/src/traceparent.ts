import { randomBytes } from 'node:crypto';

const traceparentPattern = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;

/**
 * The `traceparent` of a new span: in the trace of `parent` when that is a valid one, else in a new, sampled trace.
 * https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function nextTraceparent(parent?: string | undefined): string {
  const [, traceId, flags] = traceparentPattern.exec(parent ?? '') ?? [];
  return `00-${traceId ?? randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-${flags ?? '01'}`;
}
