/** A message as ReceiveMessage gives it. */
export interface ReceivedMessage {
  MessageId: string;
  ReceiptHandle: string;
  Body: string;
  Attributes?: Record<string, string>;
  MessageAttributes?: Record<string, { DataType: string; StringValue?: string }>;
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAX_ATTRIBUTES = 10;
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Of all our attributes together; a body that leaves less room may stand there with fewer of them. */
const REASON_BYTES = 16 * 1024;
/** What SQS takes: https://www.w3.org/TR/REC-xml/#charsets */
const unacceptable = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;

/** What a letter in a consumer's dead-letter queue lacks of a reason, or has too much of; undefined when it is sound. */
export function flawOf({ Body, MessageAttributes = {} }: ReceivedMessage): string | undefined {
  const attributes = Object.entries(MessageAttributes);
  const bytes = attributes.reduce(
    (total, [name, { DataType, StringValue = '' }]) => total + Buffer.byteLength(name + DataType + StringValue),
    Buffer.byteLength(Body),
  );
  if (attributes.length > MAX_ATTRIBUTES) return `it has ${attributes.length} attributes`;
  if (bytes > MAX_MESSAGE_BYTES) return `it has ${bytes} bytes with its attributes`;
  const odd = attributes.find(([, { StringValue = '' }]) => unacceptable.test(StringValue));
  if (odd) return `the attribute ${odd[0]} has characters that SQS refuses`;
  if (Buffer.byteLength(Body) > MAX_MESSAGE_BYTES - REASON_BYTES) return undefined;
  const lacking = ['ErrorCode', 'ErrorMessage', 'FailureKind', 'Consumer', 'EventDigest'].filter(
    (name) => !MessageAttributes[name]?.StringValue,
  );
  if (lacking.length > 0) return `it lacks ${lacking.join(', ')}`;
  const code = MessageAttributes.ErrorCode?.StringValue ?? '';
  return /^[A-Za-z_.]+$/.test(code) && code !== 'FORGED' ? undefined : `its ErrorCode is ${JSON.stringify(code)}`;
}
