import { isDeepStrictEqual } from 'node:util';
import type { Operation } from './random-operations.ts';

/** What a DynamoDB answers: an output, or an error. */
export type Answer =
  | { output: Record<string, unknown> }
  | { error: { name: string; message: string; reasons?: unknown } };

/** A DynamoDB that can be asked. */
export type Ask = (operation: string, input: object) => Promise<Answer>;

/** Asks a DynamoDB on this machine. @param endpoint its origin */
export function askOver(endpoint: string): Ask {
  return async (operation, input) => {
    const prefix = /Stream|Records|Shard/.test(operation) ? 'DynamoDBStreams_20120810' : 'DynamoDB_20120810';
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `${prefix}.${operation}`,
        'x-amz-date': '20260101T000000Z',
        authorization:
          'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=local',
      },
      body: JSON.stringify(input),
    });
    const body = (await response.json()) as Record<string, unknown>;
    if (response.ok) return { output: body };
    const name = String(body.__type).split('#').at(-1) ?? '';
    const message = String(body.message ?? body.Message);
    return {
      error: { name, message, ...(body.CancellationReasons !== undefined && { reasons: body.CancellationReasons }) },
    };
  };
}

/** Whether two DynamoDBs answer the same, apart from what AWS leaves open: the order of sets, of a scan, of equal keys. */
export function areAlike({ operation, input }: Operation, one: Answer, other: Answer): boolean {
  const isUnordered = operation === 'Scan' || operation === 'BatchGetItem' || input.IndexName !== undefined;
  return isDeepStrictEqual(normalize(one, isUnordered), normalize(other, isUnordered));
}

/** A value without what AWS leaves open. @param isUnordered true if the items of an answer have no order */
export function normalize(value: unknown, isUnordered = false): unknown {
  if (Array.isArray(value)) return value.map((each) => normalize(each, isUnordered));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => {
        const inner = normalize(member, isUnordered);
        return [name, Array.isArray(inner) && isSet(name, isUnordered) ? inner.toSorted(byText) : inner];
      }),
  );
}

function isSet(name: string, isUnordered: boolean): boolean {
  if (['SS', 'NS', 'BS', 'ConsumedCapacity'].includes(name)) return true;
  return isUnordered && ['Items', 'plain', 'indexed', 'binary'].includes(name);
}

function byText(one: unknown, other: unknown): number {
  return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1;
}
