import type { Input } from '../../core/access.ts';
import type { Meter } from '../../core/usage.ts';
import { snsLimits } from './limits.ts';

/** What the calls of SNS are counted by. https://aws.amazon.com/sns/pricing/ */
export const snsMeters = {
  'sns.textMessages': 'parts of text messages [function]',
  'sns.notifications': 'other requests, each 64 KB of a message is one [function]',
} as const satisfies Partial<Record<Meter, string>>;

/** A message is billed by chunks of so many bytes. */
const CHUNK_BYTES = snsLimits.messageBytes / 4;

/**
 * What a call is counted as.
 * @example snsUsage('Publish', { PhoneNumber: '+4917…', Message: 'Hello' }) // ['sns.textMessages', 1]
 */
export function snsUsage(operation: string, input: Input): [meter: keyof typeof snsMeters, amount: number] {
  if (operation === 'Publish' && input.PhoneNumber !== undefined) {
    return ['sns.textMessages', textMessageParts(String(input.Message ?? ''))];
  }
  if (operation === 'Publish') return ['sns.notifications', chunksOf(input)];
  if (operation !== 'PublishBatch') return ['sns.notifications', 1];
  const entries = (input.PublishBatchRequestEntries ?? []) as Input[];
  return ['sns.notifications', entries.reduce((sum, entry) => sum + chunksOf(entry), 0)];
}

function chunksOf({ Message }: Input): number {
  return Math.max(1, Math.ceil(Buffer.byteLength(String(Message ?? '')) / CHUNK_BYTES));
}

/** A long SMS is sent, and billed, in parts. https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html */
function textMessageParts(text: string): number {
  const isAscii = Buffer.byteLength(text) === text.length;
  const [alone, each] = isAscii ? [160, 153] : [70, 67];
  return text.length <= alone ? 1 : Math.ceil(text.length / each);
}
