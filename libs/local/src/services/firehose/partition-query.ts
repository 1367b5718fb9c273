import { unavailable } from './errors.ts';

/** Finds the partition keys of a record. @throws Error for a record that is not JSON or has no value for a key */
export type PartitionQuery = (text: string) => Record<string, string>;

/** `.a`, `."a-b"` and `[0]` after each other, and at the end perhaps `[0:10]`, which cuts a text. */
const PATH = /^(?:\.[A-Za-z_]\w*|\."[^"\\,]+")(?:\.[A-Za-z_]\w*|\."[^"\\,]+"|\[\d+\])*(?:\[\d*:\d*\])?$/;
const STEP = /\.([A-Za-z_]\w*)|\."([^"]+)"|\[(\d+)\]/g;
const SLICE = /\[(\d*):(\d*)\]$/;

/**
 * Compiles the query of dynamic partitioning: of jq, an object whose values are paths.
 * https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning-partitioning-keys.html
 *
 * @throws AwsError InvalidArgumentException for any other query
 * @example compilePartitionQuery('{customer: .customer.id}')('{"customer":{"id":7}}') // { customer: '7' }
 * @example compilePartitionQuery('{day: ."created-at"[0:10]}')('{"created-at":"2026-06-01T10:00:00Z"}') // { day: '2026-06-01' }
 */
export function compilePartitionQuery(query: string): PartitionQuery {
  const [, content] = /^\s*\{(.*)\}\s*$/s.exec(query) ?? [];
  const members = (content ?? '').split(',').map((member) => /^\s*"?([A-Za-z_][\w-]*)"?\s*:\s*(\S+)\s*$/.exec(member));
  const paths = members.map((member) => [member?.[1] ?? '', member?.[2] ?? ''] as const);
  if (paths.some(([name, path]) => name === '' || !PATH.test(path))) {
    throw unavailable(`The MetadataExtractionQuery ${query}: use paths such as {customer: .customer.id}; other jq`);
  }
  return (text) => {
    const record = JSON.parse(text) as unknown;
    return Object.fromEntries(paths.map(([name, path]) => [name, valueAt(record, name, path)]));
  };
}

function valueAt(record: unknown, name: string, path: string): string {
  const steps = [...path.replace(SLICE, '').matchAll(STEP)].map(([, plain, quoted, index]) => plain ?? quoted ?? index);
  const found = steps.reduce<unknown>(
    (value, step) => (value as Record<string, unknown> | null | undefined)?.[step ?? ''],
    record,
  );
  const value = cut(found, SLICE.exec(path));
  if (value === undefined || value === null || value === '' || typeof value === 'object') {
    throw new Error(`The record has no value at ${path} for the partition key ${name}`);
  }
  return String(value);
}

/** As jq cuts a text, by code points. It cuts nothing else that could be a key. */
function cut(value: unknown, slice: RegExpExecArray | null): unknown {
  if (!slice) return value;
  if (typeof value !== 'string') return undefined;
  const [, from = '', to = ''] = slice;
  return [...value].slice(Number(from), to === '' ? undefined : Number(to)).join('');
}
