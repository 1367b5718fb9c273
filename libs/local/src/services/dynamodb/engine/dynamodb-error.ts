/** Why one action of a transaction did not go through, as `CancellationReasons` reports it. */
export interface CancellationReason {
  Code: string;
  Message?: string;
  Item?: Record<string, unknown>;
}

/**
 * An error as DynamoDB answers it: a name, a message in AWS's words, and for some names further members.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
export class DynamoDbError extends Error {
  /** Members of the answer beside `message`, for example `Item` or `CancellationReasons`. */
  readonly members: Record<string, unknown>;

  constructor(name: string, message: string, members: Record<string, unknown> = {}) {
    super(message);
    this.name = name;
    this.members = members;
  }

  /** The HTTP status: 500 for what is not the caller's mistake. */
  get status(): 400 | 500 {
    return this.name === 'InternalServerError' ? 500 : 400;
  }
}

/** The request can never succeed as it is. */
export function validationError(message: string): DynamoDbError {
  return new DynamoDbError('ValidationException', message);
}

/** @param item the item that was there, when the caller asked for it */
export function conditionalCheckFailed(item?: Record<string, unknown>): DynamoDbError {
  return new DynamoDbError('ConditionalCheckFailedException', 'The conditional request failed', item && { Item: item });
}

export function resourceNotFound(detail?: string): DynamoDbError {
  const message = `Requested resource not found${detail ? `: ${detail}` : ''}`;
  return new DynamoDbError('ResourceNotFoundException', message);
}

/** A write to an item that a transaction is about to change. */
export function transactionConflict(): DynamoDbError {
  return new DynamoDbError('TransactionConflictException', TRANSACTION_CONFLICT);
}

export const TRANSACTION_CONFLICT = 'Transaction is ongoing for the item';

/** @param reasons one for each action of the transaction, in its order */
export function transactionCanceled(reasons: readonly CancellationReason[]): DynamoDbError {
  const codes = reasons.map(({ Code }) => Code).join(', ');
  return new DynamoDbError(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    { CancellationReasons: reasons },
  );
}

/** A request with a member of the wrong JSON type. */
export function serializationError(message: string): DynamoDbError {
  return new DynamoDbError('SerializationException', message);
}

/** DynamoDB could not carry the request out. The SDK retries it. @param detail why, for the caller's log */
export function internalServerError(detail: string): DynamoDbError {
  return new DynamoDbError('InternalServerError', detail);
}

/** What a request gets that exceeds the table's capacity. The SDK retries it. */
export function throughputExceeded(): DynamoDbError {
  return new DynamoDbError(
    'ProvisionedThroughputExceededException',
    'The level of configured provisioned throughput for the table was exceeded. ' +
      'Consider increasing your provisioning level with the UpdateTable API.',
  );
}
