import { guardOf, redact } from '@millrace/events/redaction';
import { describeError } from './described-error.ts';

/** Members of AWS's events and calls that hold somebody's data as they came. */
const rawMembers = new Set([
  // an SQS record, message and call; an HTTP API's request
  ...['body', 'Body', 'MessageBody', 'rawQueryString', 'queryStringParameters', 'cookies', 'claims', 'sourceIp'],
  // an EventBridge event and call, an event in an outbox
  ...['detail', 'Detail'],
  // DynamoDB's streams, calls and errors
  ...['NewImage', 'OldImage', 'Item', 'Items', 'Attributes', 'ExpressionAttributeValues'],
  // SES and SNS
  ...['Destination', 'Content', 'PhoneNumber', 'Message'],
]);

/** In lower case. */
const rawHeaders = new Set([
  'authorization',
  'cookie',
  'set-cookie',
  'idempotency-key',
  'forwarded',
  'x-forwarded-for',
]);

/**
 * What of a log line's attributes may be written: a copy in which each event, request or part of one has lost what is
 * personal in it. It has to be made of the objects themselves: Powertools logs copies, which nobody recognises.
 */
export function shown(value: unknown, copies = new Map<object, unknown>()): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const redaction = guardOf(value);
  if (redaction) return redact(value, redaction);
  if (value instanceof Error) return describeError(value);
  const known = copies.get(value);
  if (known !== undefined) return known;
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    copies.set(value, copy);
    for (const item of value) copy.push(shown(item, copies));
    return copy;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const copy: Record<string, unknown> = {};
  copies.set(value, copy);
  for (const [name, part] of Object.entries(value)) copy[name] = shown(part, copies);
  return copy;
}

/**
 * The replacer of the logger's JSON: leaves out raw texts that nobody has parsed, wherever they stand, and what is
 * personal in objects that `shown` did not look into.
 */
export function shownMember(name: string, value: unknown): unknown {
  if (rawMembers.has(name) || rawHeaders.has(name.toLowerCase())) return undefined;
  if (typeof value !== 'object' || value === null) return value;
  const redaction = guardOf(value);
  if (redaction) return redact(value, redaction);
  return value instanceof Error ? describeError(value) : value;
}
