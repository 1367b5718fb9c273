import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { DuplicateEventError } from '@millrace/errors';
import { StoreBusyError } from './errors.ts';

/** One action of a DynamoDB transaction: a Put, Update, Delete or ConditionCheck. */
export type TransactWrite = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** A write, and what it means when its condition does not hold. */
export interface ConditionalWrite {
  write: TransactWrite;
  /** The error to throw then. A write without a condition needs none. */
  onConditionFailed?: (options: ErrorOptions) => Error;
}

export interface CommitOptions {
  /** How often a transaction that lost against a competing one is tried in all. */
  maxAttempts?: number;
  sleep?: (ms: number) => Promise<void>;
  random?: () => number;
}

/**
 * Writes all items in one transaction, or none: the state, the events to emit and the mark of the event that caused them
 * stand or fall together, so a crash before or after leaves nothing half done.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
 *
 * @param writes 1 to 100 writes to different items.
 * @throws the `onConditionFailed` error of the first write whose condition failed, a DuplicateEventError before any
 * other; StoreBusyError when competing transactions kept winning.
 */
export async function commit(
  client: Pick<DynamoDBDocumentClient, 'send'>,
  writes: readonly ConditionalWrite[],
  options: CommitOptions = {},
): Promise<void> {
  const { maxAttempts = 5, random = Math.random } = options;
  const sleep = options.sleep ?? ((ms: number) => new Promise((resolve) => setTimeout(resolve, ms)));
  const command = new TransactWriteCommand({ TransactItems: writes.map(({ write }) => write) });

  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.send(command);
      return;
    } catch (cause) {
      if (!(cause instanceof TransactionCanceledException)) throw cause;
      const codes = (cause.CancellationReasons ?? []).map(({ Code }) => Code ?? 'None');
      const failures = writes.flatMap(({ onConditionFailed }, index) =>
        codes[index] === 'ConditionalCheckFailed' && onConditionFailed ? [onConditionFailed({ cause })] : [],
      );
      // That the effect is there already explains every other failed condition, so it is the answer.
      const failure = failures.find((error) => error instanceof DuplicateEventError) ?? failures[0];
      if (failure) throw failure;
      const reasons = codes.filter((code) => code !== 'None');
      if (reasons.length === 0 || !reasons.every((code) => retryable.has(code))) throw cause;
      if (attempt >= maxAttempts) throw new StoreBusyError(reasons.join(', '), { cause });
      await sleep(random() * Math.min(500, 20 * 2 ** attempt));
    }
  }
}

const retryable = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);
