import {
  ConditionalCheckFailedException,
  DeleteCommand,
  type DocumentClient,
  PutCommand,
  TransactionCanceledException,
  TransactWriteCommand,
  UpdateCommand,
} from '@millrace/aws';
import { DuplicateEventError, isUnavailable } from '@millrace/errors';
import { type RetryOptions, retry } from '@millrace/retry';
import { StoreBusyError, TransactionTooLargeError } from './errors.ts';

/** One action of a DynamoDB transaction: a Put, Update, Delete or ConditionCheck. */
export type TransactWrite = NonNullable<TransactWriteCommand['input']['TransactItems']>[number];

/** A write, and what it means when its condition does not hold. */
export interface ConditionalWrite {
  write: TransactWrite;
  /** The error to throw then. A write without a condition needs none. */
  onConditionFailed?: (options: ErrorOptions) => Error;
}

/** How a transaction is retried that was cancelled because of a competing one or a throttle. */
export type CommitOptions = RetryOptions;

/** DynamoDB takes as many items in one transaction. */
const ITEMS_PER_TRANSACTION = 100;

/**
 * Writes all items in one transaction: the state, the events to emit and the mark of the event that caused them. A crash
 * before or after leaves nothing half done. A single write is a request of its own, which takes half the write units.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
 *
 * What DynamoDB does not write because of a competing transaction, or because it throttles one, is retried with full jitter
 * until the time of the function is up, see `retry`.
 *
 * @param writes 1 to 100 writes to different items.
 * @throws the `onConditionFailed` error of the first write whose condition failed, a DuplicateEventError before any
 * other; StoreBusyError when competing transactions kept winning; TransactionTooLargeError for more than 100 writes.
 * @example await commit(client, [putStock, outboxRow(table, pk, event, now), inboxMark(table, inbox, now)]);
 */
export async function commit(
  client: DocumentClient,
  writes: readonly ConditionalWrite[],
  options: CommitOptions = {},
): Promise<void> {
  if (writes.length > ITEMS_PER_TRANSACTION) throw new TransactionTooLargeError(writes.length, ITEMS_PER_TRANSACTION);
  const attempt = async () => {
    try {
      await send(client, writes);
    } catch (error) {
      throw meaningOf(error, writes);
    }
  };
  await retry(attempt, { ...options, isRetryable: (error) => error instanceof StoreBusyError });
}

async function send(client: DocumentClient, writes: readonly ConditionalWrite[]): Promise<void> {
  const TransactItems = writes.map(({ write }) => write);
  const { Put, Update, Delete } = (TransactItems.length === 1 && TransactItems[0]) || {};
  if (Put) await client.send(new PutCommand(Put));
  else if (Update) await client.send(new UpdateCommand(Update));
  else if (Delete) await client.send(new DeleteCommand(Delete));
  else await client.send(new TransactWriteCommand({ TransactItems }));
}

/** What an error means to the caller; the error itself when no write has one for it. */
function meaningOf(error: unknown, writes: readonly ConditionalWrite[]): unknown {
  if (error instanceof TransactionCanceledException) return meaningOfCancellation(error, writes);
  if (error instanceof ConditionalCheckFailedException) {
    return writes[0]?.onConditionFailed?.({ cause: error }) ?? error;
  }
  // A single write has met a transaction.
  const { name } = error as Error;
  return name === 'TransactionConflictException' ? new StoreBusyError('TransactionConflict', { cause: error }) : error;
}

function meaningOfCancellation(cause: TransactionCanceledException, writes: readonly ConditionalWrite[]): Error {
  const codes = cause.CancellationReasons.map(({ Code }) => Code ?? 'None');
  const failures = writes.flatMap(({ onConditionFailed }, index) =>
    codes[index] === 'ConditionalCheckFailed' && onConditionFailed ? [onConditionFailed({ cause })] : [],
  );
  // That the effect is there already explains every other failed condition, so it is the answer.
  const failure = failures.find((error) => error instanceof DuplicateEventError) ?? failures[0];
  if (failure) return failure;
  if (!isUnavailable(cause)) return cause;
  return new StoreBusyError([...new Set(codes.filter((code) => code !== 'None'))].join(', '), { cause });
}
