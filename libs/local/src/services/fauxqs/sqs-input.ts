import { AwsError } from '../../core/aws-error.ts';

/** Throws AwsError when a member is not of its type; `name` is its path in the request. */
type Check = (value: unknown, name: string) => void;

/** @throws AwsError as SQS refuses what its protocol cannot read */
function refuse(name: string, wanted: string): never {
  throw new AwsError('SerializationException', `${name} must be ${wanted}`);
}

const text: Check = (value, name) => {
  if (typeof value !== 'string') refuse(name, 'a text');
};

const wholeNumber: Check = (value, name) => {
  if (!Number.isInteger(value)) refuse(name, 'a whole number');
};

const positive: Check = (value, name) => {
  if (!Number.isInteger(value) || Number(value) < 1) refuse(name, 'a whole number above 0');
};

const listOf =
  (item: Check): Check =>
  (value, name) => {
    if (!Array.isArray(value)) refuse(name, 'a list');
    for (const [index, each] of value.entries()) item(each, `${name}[${index}]`);
  };

const membersOf = (value: unknown, name: string): [string, unknown][] => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(name, 'a structure');
  return Object.entries(value);
};

const mapOf =
  (item: Check): Check =>
  (value, name) => {
    for (const [key, each] of membersOf(value, name)) item(each, `${name}.${key}`);
  };

const structure =
  (members: Readonly<Record<string, Check>>): Check =>
  (value, name) => {
    for (const [key, each] of membersOf(value, name)) {
      // A member that is null is one that is missing.
      if (each !== null && Object.hasOwn(members, key)) members[key]?.(each, `${name}.${key}`);
    }
  };

const messageAttributes = mapOf(structure({ DataType: text, StringValue: text, BinaryValue: text }));

/** Of requests, and of the entries of batches. */
const members: Readonly<Record<string, Check>> = {
  Id: text,
  QueueUrl: text,
  QueueName: text,
  QueueNamePrefix: text,
  MessageBody: text,
  MessageGroupId: text,
  MessageDeduplicationId: text,
  ReceiptHandle: text,
  NextToken: text,
  DelaySeconds: wholeNumber,
  VisibilityTimeout: wholeNumber,
  WaitTimeSeconds: wholeNumber,
  MaxNumberOfMessages: wholeNumber,
  MaxResults: positive,
  MessageAttributes: messageAttributes,
  MessageSystemAttributes: messageAttributes,
  Attributes: mapOf(text),
  AttributeNames: listOf(text),
  MessageAttributeNames: listOf(text),
  MessageSystemAttributeNames: listOf(text),
};

const request = structure({ ...members, Entries: listOf(structure(members)) });

/**
 * Checks the types of a request's members, which fauxqs trusts.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
 * @throws AwsError SerializationException naming the member
 */
export function checkSqsInput(input: object): void {
  request(input, 'The request');
}
