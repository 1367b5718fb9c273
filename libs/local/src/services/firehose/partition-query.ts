import { unavailable } from './errors.ts';

/** Finds the partition keys of a record. @throws Error for a record that is not JSON or has no value for a key */
export type PartitionQuery = (text: string) => Record<string, string>;

const PATH = /^\.[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*|\[\d+\])*$/;

/**
 * Compiles the query of dynamic partitioning: of jq, an object whose values are paths.
 * https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning-partitioning-keys.html
 *
 * @throws AwsError InvalidArgumentException for any other query
 * @example compilePartitionQuery('{customer: .customer.id}')('{"customer":{"id":7}}') // { customer: '7' }
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
  const steps = path.match(/[A-Za-z_]\w*|\d+/g) ?? [];
  const found = steps.reduce<unknown>(
    (value, step) => (value as Record<string, unknown> | null | undefined)?.[step],
    record,
  );
  if (found === undefined || found === null || found === '' || typeof found === 'object') {
    throw new Error(`The record has no value at ${path} for the partition key ${name}`);
  }
  return String(found);
}
