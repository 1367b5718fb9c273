import { AwsError } from '../../core/aws-error.ts';

interface ErrorShape {
  /** Its code in the query protocol, and in the header `x-amzn-query-error`. The same as its name unless given. */
  query?: string;
  status?: number;
}

const simpleQueueService = (name: string, status = 400): ErrorShape => ({
  query: `AWS.SimpleQueueService.${name}`,
  status,
});

/**
 * The errors of SQS by the name that the JSON protocol gives them.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html, "Errors" of each operation
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
 */
const errors = {
  BatchEntryIdsNotDistinct: simpleQueueService('BatchEntryIdsNotDistinct'),
  BatchRequestTooLong: simpleQueueService('BatchRequestTooLong'),
  EmptyBatchRequest: simpleQueueService('EmptyBatchRequest'),
  InvalidBatchEntryId: simpleQueueService('InvalidBatchEntryId'),
  MessageNotInflight: simpleQueueService('MessageNotInflight'),
  PurgeQueueInProgress: simpleQueueService('PurgeQueueInProgress', 403),
  QueueDeletedRecently: simpleQueueService('QueueDeletedRecently'),
  QueueDoesNotExist: simpleQueueService('NonExistentQueue'),
  TooManyEntriesInBatchRequest: simpleQueueService('TooManyEntriesInBatchRequest'),
  UnsupportedOperation: simpleQueueService('UnsupportedOperation'),
  QueueNameExists: { query: 'QueueAlreadyExists' },
  InvalidAddress: { status: 404 },
  InvalidAttributeName: {},
  InvalidAttributeValue: {},
  InvalidMessageContents: {},
  InvalidSecurity: { status: 403 },
  OverLimit: { status: 403 },
  ReceiptHandleIsInvalid: { status: 404 },
  RequestThrottled: { status: 403 },
  ResourceNotFoundException: { status: 404 },
  InvalidParameterValueException: { query: 'InvalidParameterValue' },
  MissingRequiredParameterException: { query: 'MissingParameter' },
  InvalidAction: {},
  UnknownOperationException: { status: 404 },
  SerializationException: {},
  AccessDeniedException: { query: 'AccessDenied', status: 403 },
} satisfies Record<string, ErrorShape>;

export type SqsErrorName = keyof typeof errors;

const shapes: Readonly<Record<string, ErrorShape>> = errors;

/**
 * Makes an error of SQS.
 *
 * @param name its name in the JSON protocol
 * @example throw sqsError('QueueDoesNotExist', 'The specified queue does not exist.');
 */
export function sqsError(name: SqsErrorName, message: string): AwsError {
  return new AwsError(name, message, shapes[name]?.status ?? 400);
}

/**
 * The code of an error in the query protocol, which batch results and `x-amzn-query-error` use as well.
 *
 * @param name the error's name in the JSON protocol
 * @example queryCode('QueueDoesNotExist') // 'AWS.SimpleQueueService.NonExistentQueue'
 */
export function queryCode(name: string): string {
  return (Object.hasOwn(shapes, name) ? shapes[name]?.query : undefined) ?? name;
}

/** @example throw invalidParameter('MaxNumberOfMessages', 11, 'Must be between 1 and 10, if provided.'); */
export function invalidParameter(name: string, value: unknown, reason: string): AwsError {
  const message = `Value ${shorten(value)} for parameter ${name} is invalid. Reason: ${reason}`;
  return sqsError('InvalidParameterValueException', message);
}

/** @example throw missingParameter('MessageBody'); */
export function missingParameter(name: string): AwsError {
  return sqsError('MissingRequiredParameterException', `The request must contain the parameter ${name}.`);
}

/** @example throw queueDoesNotExist(); */
export function queueDoesNotExist(): AwsError {
  return sqsError('QueueDoesNotExist', 'The specified queue does not exist.');
}

/** @example throw invalidReceiptHandle('garbage'); */
export function invalidReceiptHandle(handle: string): AwsError {
  return sqsError(
    'ReceiptHandleIsInvalid',
    `The input receipt handle "${shorten(handle)}" is not a valid receipt handle.`,
  );
}

function shorten(value: unknown): string {
  const text = String(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
