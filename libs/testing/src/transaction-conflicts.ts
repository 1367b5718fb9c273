import { AwsError, type DocumentClient, TransactionCanceledException } from '@millrace/aws';

type Attributes = Record<string, unknown>;
/** What of a request says which items it writes. */
interface WriteInput {
  TableName?: string;
  Key?: Attributes;
  Item?: Attributes;
  TransactItems?: Record<string, WriteInput>[];
}

export interface ConflictOptions {
  /** How long a write occupies its items at least, in ms. */
  occupiesMs?: number;
  /** The attributes of the tables' keys. */
  keyNames?: readonly string[];
}

const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem']);

/**
 * DynamoDB's rule for writes that meet, which the local DynamoDB does not have: a transaction occupies its items while it is
 * under way, also those that it only checks. Another transaction on one of them is cancelled with `TransactionConflict` for
 * this item, and another write of it fails with `TransactionConflictException`. All clients with the same rule meet.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
 * @example
 * const conflicts = new TransactionConflicts({ occupiesMs: 10 });
 * const containers = clients.map((client) => new Warehouse({ client: conflicts.inject(client), name }));
 */
export class TransactionConflicts {
  readonly #occupiesMs: number;
  readonly #keyNames: readonly string[];
  readonly #occupied = new Set<string>();
  /** Transactions that were sent, cancelled ones included: each is paid for. */
  transactions = 0;
  /** Transactions and writes that met another one. */
  conflicts = 0;

  constructor({ occupiesMs = 10, keyNames = ['pk', 'sk'] }: ConflictOptions = {}) {
    this.#occupiesMs = occupiesMs;
    this.#keyNames = keyNames;
  }

  /** Returns a client that follows the rule. */
  inject(client: DocumentClient): DocumentClient {
    return {
      send: async (command) => {
        const input: WriteInput = command.input;
        if (command.operation === 'TransactWriteItems') {
          const keys = (input.TransactItems ?? []).flatMap((item) =>
            Object.values(item).map((write) => this.#keyOf(write)),
          );
          return this.#transact(keys, () => client.send(command));
        }
        if (WRITES.has(command.operation) && this.#occupied.has(this.#keyOf(input))) {
          this.conflicts += 1;
          throw new AwsError('TransactionConflictException', { message: 'Transaction is ongoing for the item' });
        }
        return client.send(command);
      },
    };
  }

  async #transact<Answer>(keys: readonly string[], carryOut: () => Promise<Answer>): Promise<Answer> {
    this.transactions += 1;
    if (keys.some((key) => this.#occupied.has(key))) {
      this.conflicts += 1;
      throw new TransactionCanceledException({
        message: 'Transaction cancelled, please refer cancellation reasons for specific reasons',
        CancellationReasons: keys.map((key) =>
          this.#occupied.has(key)
            ? { Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' }
            : { Code: 'None' },
        ),
      });
    }
    for (const key of keys) this.#occupied.add(key);
    try {
      const [answer] = await Promise.all([carryOut(), this.#pause()]);
      return answer;
    } finally {
      for (const key of keys) this.#occupied.delete(key);
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#occupiesMs));
  }

  #keyOf({ TableName, Key, Item }: WriteInput): string {
    const attributes = Key ?? Item ?? {};
    return JSON.stringify([TableName, ...this.#keyNames.map((name) => attributes[name])]);
  }
}

/**
 * Returns a client that refuses requests as a throttled table does, after all attempts of the client.
 * @param isThrottled is asked at each request, with its operation
 * @example injectThrottling(client, (operation) => operation === 'BatchGetItem' && Math.random() < 0.5);
 */
export function injectThrottling(client: DocumentClient, isThrottled: (operation: string) => boolean): DocumentClient {
  return {
    send: async (command) => {
      if (!isThrottled(command.operation)) return client.send(command);
      throw new AwsError('ProvisionedThroughputExceededException', { message: 'The table is throttled' });
    },
  };
}
