import { createHash } from 'node:crypto';
import type { MessageAttribute } from '../../core/delivery.ts';
import { invalidParameter, snsError } from './errors.ts';
import { snsLimits } from './limits.ts';

/** The members of Publish, and of an entry of PublishBatch. */
export interface PublishInput {
  TopicArn?: string;
  TargetArn?: string;
  PhoneNumber?: string;
  Message?: string;
  Subject?: string;
  MessageStructure?: string;
  MessageAttributes?: Record<string, MessageAttribute>;
  MessageGroupId?: string;
  MessageDeduplicationId?: string;
}

/** A message that has been checked. */
export interface CheckedMessage {
  message: string;
  subject: string | undefined;
  /** Texts of their own for protocols, with `default`. */
  byProtocol: Readonly<Record<string, string>> | undefined;
  attributes: Record<string, MessageAttribute>;
  groupId: string | undefined;
  deduplicationId: string | undefined;
  bytes: number;
}

/**
 * Checks a message.
 * https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
 * @throws AwsError InvalidParameter or ParameterValueInvalid
 */
export function checkMessage(input: PublishInput): CheckedMessage {
  const { Message: message = '', Subject: subject, MessageStructure, MessageAttributes: attributes = {} } = input;
  if (message === '') throw invalidParameter('Empty message');
  if (subject !== undefined) checkSubject(subject);
  if (MessageStructure !== undefined && MessageStructure !== 'json') throw invalidParameter('MessageStructure');
  for (const [name, attribute] of Object.entries(attributes)) checkAttribute(name, attribute);
  const bytes = messageBytes(message, attributes);
  if (bytes > snsLimits.messageBytes) throw invalidParameter('Message too long');
  return {
    ...{ message, subject, attributes, bytes },
    byProtocol: MessageStructure === undefined ? undefined : readStructure(message),
    groupId: checkToken('MessageGroupId', input.MessageGroupId),
    deduplicationId: checkToken('MessageDeduplicationId', input.MessageDeduplicationId),
  };
}

function messageBytes(message: string, attributes: Readonly<Record<string, MessageAttribute>>): number {
  return Object.entries(attributes).reduce((sum, [name, { DataType, StringValue = '', BinaryValue = '' }]) => {
    const binary = Buffer.from(BinaryValue, 'base64').length;
    return sum + Buffer.byteLength(name) + Buffer.byteLength(DataType) + Buffer.byteLength(StringValue) + binary;
  }, Buffer.byteLength(message));
}

/** ASCII without control characters, that begins with a letter, a digit or a punctuation mark. */
function checkSubject(subject: string): void {
  const isValid = /^[!-~][ -~]*$/.test(subject) && subject.length <= snsLimits.subjectLength;
  if (!isValid) throw invalidParameter('Subject');
}

function checkToken(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (/^[!-~]{1,128}$/.test(value)) return value;
  throw invalidParameter(
    `The ${name} parameter value can only include alphanumeric and punctuation characters and be 1 to 128 characters long`,
  );
}

function readStructure(message: string): Record<string, string> {
  let texts: unknown;
  try {
    texts = JSON.parse(message);
  } catch {
    throw invalidParameter('Message Structure - JSON message body failed to parse');
  }
  const entries = typeof texts === 'object' && texts !== null && !Array.isArray(texts) ? Object.entries(texts) : [];
  const structure = Object.fromEntries(entries.filter(([, text]) => typeof text === 'string'));
  if (!Object.hasOwn(structure, 'default'))
    throw invalidParameter('Message Structure - No default entry in JSON message body');
  return structure;
}

/** https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html */
function checkAttribute(name: string, { DataType = '', StringValue, BinaryValue }: MessageAttribute): void {
  const refuse = (reason: string): never => {
    throw snsError('ParameterValueInvalid', `The message attribute '${name.slice(0, 256)}' ${reason}`);
  };
  if (
    !/^(?!AWS\.(?!SNS\.|MM\.)|Amazon\.|\.)[A-Za-z0-9_.-]{1,256}$/i.test(name) ||
    name.endsWith('.') ||
    name.includes('..')
  ) {
    refuse('has an invalid message attribute name');
  }
  const [type = ''] = DataType.split('.');
  if (!['String', 'Number', 'Binary'].includes(type))
    refuse(`has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`);
  if ((type === 'Binary' ? BinaryValue : StringValue) === undefined)
    refuse('must contain a non-empty message attribute value');
  if (StringValue === '' || BinaryValue === '') refuse('must contain a non-empty message attribute value');
  if (type === 'Number' && !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(StringValue ?? '')) {
    refuse('is not a number');
  }
  if (DataType === 'String.Array' && !isArray(StringValue ?? '')) refuse('is not a JSON array');
}

function isArray(text: string): boolean {
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}

/** The text that a protocol gets. */
export function textFor(
  { message, byProtocol }: Pick<CheckedMessage, 'message' | 'byProtocol'>,
  protocol: string,
): string {
  if (!byProtocol) return message;
  return (Object.hasOwn(byProtocol, protocol) ? byProtocol[protocol] : byProtocol.default) ?? message;
}

/** The deduplication id of a message without one, of a topic that makes it from contents. */
export function contentDeduplicationId(message: string): string {
  return createHash('sha256').update(message).digest('hex');
}
