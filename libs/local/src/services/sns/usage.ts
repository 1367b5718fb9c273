import { snsLimits } from './limits.ts';

/** What is counted of the calls of SNS, with its unit. https://aws.amazon.com/sns/pricing/ */
export const snsMeters = {
  'sns.requests': 'requests; a message counts once for each 64 KB',
  'sns.textMessages': 'parts of text messages',
} as const;

export type SnsMeter = keyof typeof snsMeters;

/** A message is billed by chunks of so many bytes. */
const CHUNK_BYTES = snsLimits.messageBytes / 4;

/**
 * What a call is counted as.
 * @example snsUsage('Publish', { PhoneNumber: '+4917…', Message: 'Hello' }) // [['sns.textMessages', 1]]
 */
export function snsUsage(
  operation: string,
  input: Readonly<Record<string, unknown>>,
): [meter: SnsMeter, amount: number][] {
  if (operation === 'Publish' && input.PhoneNumber !== undefined) {
    return [['sns.textMessages', textMessageParts(String(input.Message ?? ''))]];
  }
  if (operation === 'Publish') return [['sns.requests', chunksOf(input)]];
  if (operation === 'PublishBatch') {
    const entries = (input.PublishBatchRequestEntries ?? []) as Record<string, unknown>[];
    return [['sns.requests', entries.reduce((sum, entry) => sum + chunksOf(entry), 0)]];
  }
  return [['sns.requests', 1]];
}

function chunksOf({ Message }: Readonly<Record<string, unknown>>): number {
  return Math.max(1, Math.ceil(Buffer.byteLength(String(Message ?? '')) / CHUNK_BYTES));
}

/** A long SMS is sent, and billed, in parts. https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html */
function textMessageParts(text: string): number {
  const isAscii = Buffer.byteLength(text) === text.length;
  const [alone, each] = isAscii ? [160, 153] : [70, 67];
  return text.length <= alone ? 1 : Math.ceil(text.length / each);
}
