import type { MessageAttributeValue } from '@aws-sdk/client-sqs';
import { sqsLimits } from '@millrace/events/aws-limits';

/** In UTF-16 units: a reason need not be long. */
const MAX_LENGTH = 1000;

/**
 * Makes SQS message attributes of texts. Empty texts are left out, what SQS would refuse is replaced, and where a large
 * body leaves no room for all of them, the first ones are kept: a letter with half of its reason is better than none.
 *
 * @param texts by name, the most important first; at most ten
 * @param body the body they will stand beside
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
 */
export function messageAttributes(
  texts: Readonly<Record<string, string | undefined>>,
  body: string,
): Record<string, MessageAttributeValue> {
  const attributes: Record<string, MessageAttributeValue> = {};
  let bytesLeft = sqsLimits.messageBytes - Buffer.byteLength(body);
  for (const [name, text] of Object.entries(texts)) {
    const StringValue = acceptable(text ?? '');
    const bytes = Buffer.byteLength(name) + Buffer.byteLength('String') + Buffer.byteLength(StringValue);
    if (StringValue === '' || bytes > bytesLeft) continue;
    attributes[name] = { DataType: 'String', StringValue };
    bytesLeft -= bytes;
  }
  return attributes;
}

/** No control characters, no halves of a surrogate pair. */
function acceptable(text: string): string {
  return text
    .replace(/[\p{Cc}\ufffe\uffff]/gu, ' ')
    .slice(0, MAX_LENGTH)
    .toWellFormed();
}
