import { isNativeError } from 'node:util/types';
import { MillraceError } from '@millrace/errors';

/** Errors of AWS that tell of permissions, limits and names of resources, and never of what was sent. */
const harmlessAwsErrors =
  /^(AccessDenied|AuthorizationError|NotAuthorized|ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|Throttl|TooManyRequests|RequestLimitExceeded|ProvisionedThroughputExceeded|LimitExceeded|ResourceNotFound|ResourceInUse|NotFound|QueueDoesNotExist|TransactionCanceled|TransactionConflict|TransactionInProgress|ConditionalCheckFailed|RequestTimeout|Kms)/;

/** JavaScript's own errors that quote a value: what could not be parsed, was no object, was no currency. */
const quotingMessages = /'in' operator|Cannot create property|Iterator value|^Invalid [\w ]+ ?: |Cannot convert /;

const emailAddress = /[^\s"'<>()/:=,;]+@[^\s"'<>()/:=,;]+/g;
const phoneNumber = /\+\d[\d ()/-]{5,}\d/g;

/**
 * The message of whatever was thrown, as it may stand in a log or a dead letter. Millrace's own errors name paths and
 * codes, never values; those of AWS and of parsers may quote what they were given, and are then not repeated.
 *
 * @returns one text; it names the error when the message is not shown
 */
export function messageOf(error: unknown): string {
  if (!isError(error)) return 'The thrown value is not an Error';
  if (!isQuoting(error)) return withoutAddresses(error.message);
  return `${error.name}: its message is not repeated, because it may quote data`;
}

/** What is logged of an error, as plain attributes: no member that some library may have hung on it. */
export interface DescribedError {
  name: string;
  code?: string;
  location?: string;
  message: string;
  /** Of AWS. */
  request_id?: string;
  /** HTTP status of AWS. */
  status?: number;
  stack?: string;
  cause?: DescribedError;
}

/** Describes an error and its causes. */
export function describeError(error: Error): DescribedError {
  const { name, stack = '', cause } = error;
  const { code, $metadata } = error as { code?: unknown; $metadata?: { requestId?: string; httpStatusCode?: number } };
  const message = messageOf(error);
  // A stack starts with the message.
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  const [, file, line] = /\(?([^()\s]+):(\d+):\d+\)?$/.exec(frames[0] ?? '') ?? [];
  return {
    name,
    ...(typeof code === 'string' && /^\w+$/.test(code) && { code }),
    ...(file !== undefined && { location: `${file}:${line}` }),
    message,
    ...($metadata?.requestId !== undefined && { request_id: $metadata.requestId }),
    ...($metadata?.httpStatusCode !== undefined && { status: $metadata.httpStatusCode }),
    ...(frames.length > 0 && { stack: [`${name}: ${message}`, ...frames].join('\n') }),
    ...(isError(cause) && { cause: describeError(cause) }),
  };
}

/** Errors of Node may come from another context of V8, where `instanceof` does not know them. */
function isError(value: unknown): value is Error {
  return value instanceof Error || isNativeError(value);
}

function isQuoting(error: Error): boolean {
  if (error instanceof MillraceError) return false;
  // Whose fault it is says AWS alone: an error of the network has none.
  const { $fault } = error as { $fault?: 'client' | 'server' };
  if ($fault !== undefined) return $fault === 'client' && !harmlessAwsErrors.test(error.name);
  return error.name === 'SyntaxError' || /ZodError$/.test(error.name) || quotingMessages.test(error.message);
}

/** AWS says which address or number it may not send to, whatever the error is. */
function withoutAddresses(message: string): string {
  return message.replace(emailAddress, '(e-mail address)').replace(phoneNumber, '(phone number)');
}
