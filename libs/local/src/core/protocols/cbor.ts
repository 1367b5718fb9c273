import { cbor, dateToTag, tagSymbol } from '@smithy/core/cbor';
import type { Input } from '../access.ts';
import { AwsError } from '../aws-error.ts';
import { HttpAnswer } from '../http-message.ts';
import type { Protocol } from '../service.ts';

const NAME = 'rpc-v2-cbor';
const headers = { 'content-type': 'application/cbor', 'smithy-protocol': NAME };

/**
 * The protocol of newer SDKs for services that had only JSON or the query protocol.
 * https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
 */
export const rpcV2Cbor: Protocol = {
  matches: ({ 'smithy-protocol': protocol }) => protocol === NAME,
  read: ({ url, body }) => ({ operation: operationOf(url.pathname), input: readCbor(body) }),
  answer: (output) => new HttpAnswer(200, headers, writeCbor(output)),
  error: ({ code, status, message }) =>
    new HttpAnswer(status, { ...headers, 'x-amzn-errortype': code }, writeCbor({ __type: code, message })),
};

/** @throws AwsError for a path that is not `/service/<service>/operation/<operation>` */
function operationOf(path: string): string {
  const operation = /^\/service\/[^/]+\/operation\/([^/]+)$/.exec(path)?.[1];
  if (operation === undefined)
    throw new AwsError('UnknownOperationException', `${path} is not the path of an operation`);
  return operation;
}

/** Points in time become dates. */
function readCbor(body: Uint8Array): Input {
  if (body.length === 0) return {};
  try {
    const input = fromCbor(cbor.deserialize(body));
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as Input;
  } catch {
    // Reported below.
  }
  throw new AwsError('SerializationException', 'The body is not a CBOR map');
}

function writeCbor(output: unknown): Buffer {
  return Buffer.from(cbor.serialize(toCbor(output ?? {})));
}

function fromCbor(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(fromCbor);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (tagSymbol in value) {
    const { tag, value: content } = value as unknown as { tag: number | bigint; value: unknown };
    return Number(tag) === 1 ? new Date(Number(content) * 1000) : fromCbor(content);
  }
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, fromCbor(member)]));
}

function toCbor(value: unknown): unknown {
  if (value instanceof Date) return dateToTag(value);
  if (Array.isArray(value)) return value.map(toCbor);
  if (typeof value !== 'object' || value === null) return value;
  // A member without a value is left out, not null.
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, toCbor(member)]));
}
