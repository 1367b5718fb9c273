import { randomUUID } from 'node:crypto';

/**
 * Makes the X-Ray header that a function sees in `_X_AMZN_TRACE_ID`: the caller's trace, or a new one, which is not sampled: X-Ray is
 * not here.
 * https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
 *
 * @example traceIdFrom('Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1')
 */
export function traceIdFrom(header: string | undefined, now = Date.now()): string {
  const fields = new Map(
    (header ?? '').split(';').map((field) => {
      const at = field.indexOf('=');
      return [field.slice(0, at).trim().toLowerCase(), field.slice(at + 1).trim()];
    }),
  );
  const root = fields.get('root') ?? `1-${Math.floor(now / 1000).toString(16)}-${randomHex(24)}`;
  const parent = fields.get('parent') ?? randomHex(16);
  const sampled = fields.get('sampled') === '1' ? '1' : '0';
  return `Root=${root};Parent=${parent};Sampled=${sampled}`;
}

/** @param length at most 24. Node makes UUIDs in advance, and so faster than as many random bytes */
function randomHex(length: number): string {
  // Without the digits that say the version and the variant.
  const [first, second, , , last] = randomUUID().split('-');
  return `${first}${second}${last}`.slice(0, length);
}
