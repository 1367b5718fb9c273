import { hash } from 'node:crypto';
import type { MessageAttributes } from '../engine/message.ts';

const STRING_VALUE = Buffer.from([1]);
const BINARY_VALUE = Buffer.from([2]);

/** @example bodyMd5('message') // '78e731027d8fd50ed642340b7c9a63b3' */
export function bodyMd5(body: string): string {
  return hash('md5', body);
}

/**
 * The digest of a message's attributes, by which a client sees that they arrived unchanged.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
 * @returns undefined when there are none
 */
export function attributesMd5(attributes: MessageAttributes | undefined): string | undefined {
  const names = Object.keys(attributes ?? {}).sort();
  if (names.length === 0) return undefined;
  const parts: Buffer[] = [];
  const add = (value: Buffer): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(value.length);
    parts.push(length, value);
  };
  for (const name of names) {
    const { DataType = '', StringValue, BinaryValue = '' } = attributes?.[name] ?? {};
    add(Buffer.from(name));
    add(Buffer.from(DataType));
    parts.push(StringValue === undefined ? BINARY_VALUE : STRING_VALUE);
    add(StringValue === undefined ? Buffer.from(BinaryValue, 'base64') : Buffer.from(StringValue));
  }
  return hash('md5', Buffer.concat(parts));
}
