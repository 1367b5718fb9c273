import { sqsError } from '../errors.ts';

/** With the flag `u`, half of a surrogate pair is a character of its own, which is not accepted. */
const UNACCEPTABLE = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;

/**
 * Whether a text has only characters that a message may have: those of XML 1.0.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html#SQS-SendMessage-request-MessageBody
 */
export function isAcceptableText(text: string): boolean {
  return !UNACCEPTABLE.test(text);
}

/** @throws AwsError InvalidMessageContents */
export function checkBody(body: string): void {
  if (!isAcceptableText(body)) {
    throw sqsError(
      'InvalidMessageContents',
      'Invalid characters were found in MessageBody. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF',
    );
  }
}
