import { UsageError } from '@millrace/command-line';
import { compilePattern } from '@millrace/event-pattern';
import type { DeadLetter } from '../dead-letter.ts';

/** Which letters are meant: those that meet all criteria given, and of a list any. */
export interface DeadLetterCriteria {
  /** Detail-types. */
  types?: readonly string[];
  /** Codes of reasons. */
  reasons?: readonly string[];
  /** Ids of events or of SQS messages. */
  ids?: readonly string[];
  correlationIds?: readonly string[];
  /** Minimal age in ms since the letter was sent, see `DeadLetter.sentAt`. */
  olderThan?: number;
  /** Maximal age in ms. */
  newerThan?: number;
  /** JSON of an event pattern; a body that is no JSON object does not match it. */
  pattern?: string;
}

/**
 * Compiles criteria to a test of letters.
 *
 * @param now what ages are counted to
 * @throws UsageError when the pattern is not valid
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
 */
export function deadLetterFilter(criteria: DeadLetterCriteria, now: Date): (letter: DeadLetter) => boolean {
  const { types, reasons, ids, correlationIds, olderThan, newerThan } = criteria;
  const matchesPattern = criteria.pattern === undefined ? undefined : readPattern(criteria.pattern);
  return (letter) => {
    const age = now.getTime() - letter.sentAt.getTime();
    return (
      allows(types, letter.event?.detailType) &&
      allows(reasons, letter.reason.code) &&
      (allows(ids, letter.messageId) || allows(ids, letter.event?.id)) &&
      allows(correlationIds, letter.reason.correlationId) &&
      (olderThan === undefined || age >= olderThan) &&
      (newerThan === undefined || age <= newerThan) &&
      (matchesPattern === undefined || matchesPattern(letter.body))
    );
  };
}

/** Whether any criterion is given. */
export function isFiltering(criteria: DeadLetterCriteria): boolean {
  return Object.values(criteria).some((criterion) =>
    Array.isArray(criterion) ? criterion.length > 0 : criterion !== undefined,
  );
}

function allows(wanted: readonly string[] | undefined, value: string | undefined): boolean {
  return wanted === undefined || wanted.length === 0 || (value !== undefined && wanted.includes(value));
}

function readPattern(text: string): (body: string) => boolean {
  let matches: ReturnType<typeof compilePattern>;
  try {
    matches = compilePattern(text);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  return (body) => {
    try {
      return matches(JSON.parse(body));
    } catch {
      return false;
    }
  };
}
