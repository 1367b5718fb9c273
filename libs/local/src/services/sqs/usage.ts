/** Requests that SQS bills to the owner of a queue: a service delivered to it, or an event source mapping received from it. */
export interface QueueUsage {
  operation: string;
  requests: number;
  queueName: string;
}

const REQUEST_BYTES = 64 * 1024;

/** Operations whose messages are part of the bill. */
const withMessages = new Set(['SendMessage', 'SendMessageBatch', 'ReceiveMessage']);

/**
 * How many requests a call is billed as.
 *
 * https://aws.amazon.com/sqs/pricing/
 * @param input of the operation
 * @param output undefined when it failed
 * @example billedRequests('SendMessage', { MessageBody: 'a'.repeat(100_000) }, {}) // 2
 */
export function billedRequests(operation: string, input: unknown, output: unknown): number {
  if (!withMessages.has(operation)) return 1;
  const { MessageBody, Entries } = (input ?? {}) as { MessageBody?: unknown; Entries?: unknown };
  const { Messages } = (output ?? {}) as { Messages?: { Body: string }[] };
  let bytes = bytesOf(MessageBody);
  for (const { Body } of Messages ?? []) bytes += bytesOf(Body);
  for (const entry of Array.isArray(Entries) ? Entries : [])
    bytes += bytesOf((entry as { MessageBody?: unknown })?.MessageBody);
  return requestsOf(bytes);
}

function bytesOf(text: unknown): number {
  return typeof text === 'string' ? Buffer.byteLength(text) : 0;
}

/** How many requests some bytes are: each 64 KiB is one. */
export function requestsOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / REQUEST_BYTES));
}
