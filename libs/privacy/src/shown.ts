import { describeError, messageOf } from './described-error.ts';
import { guardOf, redact } from './redaction.ts';

/** Members of AWS's events and calls that hold somebody's data as they came. */
const rawMembers = new Set([
  // an SQS record, message and call; an HTTP API's request
  ...['body', 'Body', 'MessageBody', 'rawQueryString', 'queryStringParameters', 'cookies', 'claims', 'sourceIp'],
  // what an endpoint hands to its handler
  'idempotencyKey',
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
 * What of a log line's attributes may be written: a copy in which each event, request or part of one that a schema has
 * seen has lost what is personal in it, and what no schema has seen is missing. It has to be made of the objects
 * themselves: Powertools logs copies, which nobody recognises.
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
  for (const [name, part] of Object.entries(value)) {
    if (isRaw(name) && !isGuarded(part)) continue;
    // What is caught need not be an error: it may be the data themselves.
    copy[name] = name === 'error' && !(part instanceof Error) ? messageOf(part) : shown(part, copies);
  }
  return copy;
}

/**
 * The replacer of the logger's JSON, for what `shown` does not look into: instances of classes. There, too, raw texts
 * are left out and what is personal in events.
 */
export function shownMember(name: string, value: unknown): unknown {
  if (typeof value === 'string' && isRaw(name)) return undefined;
  if (typeof value !== 'object' || value === null) return value;
  const redaction = guardOf(value);
  if (redaction) return redact(value, redaction);
  return value instanceof Error ? describeError(value) : value;
}

function isRaw(name: string): boolean {
  return rawMembers.has(name) || rawHeaders.has(name.toLowerCase());
}

function isGuarded(value: unknown): boolean {
  return typeof value === 'object' && value !== null && guardOf(value) !== undefined;
}
