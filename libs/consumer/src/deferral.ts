import { SendMessageCommand, type Sqs } from '@millrace/aws';
import { UnavailableError } from '@millrace/errors';
import { fullJitter } from '@millrace/retry';
import type { SQSRecord } from 'aws-lambda';
import { attributesOfCopy, historyOf } from './history.ts';
import type { ConsumerSettings } from './settings.ts';

/** Upper bound of the delay of a first deferral, in seconds; it doubles with each. */
const FIRST_BOUND = 2;
/** SQS delays a message by at most 15 minutes. */
const LONGEST_BOUND = 900;
/** The bound of a wait that an error names grows up to so many times its spread: what waits is back soon after the cause is over. */
const LONGEST_SPREADS = 4;
/** A message is deferred until this long, in ms, before its queue would have dropped the first copy. */
const MARGIN = 60 * 60 * 1000;

/** Whether a record can be deferred: a copy on a FIFO queue would fall behind the later messages of its group. */
export function isDeferrable({ eventSourceARN }: Pick<SQSRecord, 'eventSourceARN'>): boolean {
  return !eventSourceARN.endsWith('.fifo');
}

/** Whether a record has waited for nearly as long as its queue keeps a message: a person has to look at it. */
export function isPastRetention(record: SQSRecord, { retentionSeconds }: ConsumerSettings, now: Date): boolean {
  return now.getTime() > historyOf(record).firstSentAt.getTime() + retentionSeconds * 1000 - MARGIN;
}

/**
 * Puts a record off: sends an exact copy to the same queue, delayed by a random time below a bound that doubles with each
 * deferral, up to 15 minutes; an error that names a `wait` sets when the delay begins and the first bound. The copy's receive count starts anew and its attributes carry the history, so a deferral is not
 * a failed attempt.
 *
 * When this resolves SQS has stored the copy, and only then may the record be acknowledged. A crash in between leaves
 * both, and the second one is a duplicate.
 * @throws what SQS throws: nothing was deferred then
 */
export async function defer(
  record: SQSRecord,
  {
    error,
    sqs,
    settings,
    now,
    random,
  }: { error?: unknown; sqs: Sqs; settings: ConsumerSettings; now: Date; random: () => number },
): Promise<void> {
  const { AWSTraceHeader, MessageGroupId } = record.attributes;
  const deferrals = historyOf(record).deferrals + 1;
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: settings.queueUrl,
      MessageBody: record.body,
      DelaySeconds: delaySeconds(error, deferrals, random),
      MessageAttributes: attributesOfCopy(record, now),
      ...(MessageGroupId ? { MessageGroupId } : {}),
      ...(AWSTraceHeader
        ? { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: AWSTraceHeader } } }
        : {}),
    }),
  );
}

/** Messages that wait for the same thing must not all come back at once: each waits for a random time. */
function delaySeconds(error: unknown, deferrals: number, random: () => number): number {
  const wait = error instanceof UnavailableError ? error.wait : undefined;
  const bounds = wait
    ? { firstBound: wait.spreadSeconds, longestBound: LONGEST_SPREADS * wait.spreadSeconds }
    : { firstBound: FIRST_BOUND, longestBound: LONGEST_BOUND };
  const pause = fullJitter(deferrals, { random, ...bounds });
  return Math.ceil(Math.min(LONGEST_BOUND, (wait?.afterSeconds ?? 0) + pause));
}
