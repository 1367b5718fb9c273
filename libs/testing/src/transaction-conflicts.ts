import {
  type DynamoDBClient,
  ProvisionedThroughputExceededException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';

/** Keys as the SDK sends them. */
type Attributes = Record<string, { S?: string; N?: string }>;
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

const WRITES = new Set(['PutItemCommand', 'UpdateItemCommand', 'DeleteItemCommand']);

/**
 * DynamoDB's rule for writes that meet, which the local DynamoDB does not have: a transaction occupies its items while it is
 * under way, also those that it only checks. Another transaction on one of them is cancelled with `TransactionConflict` for
 * this item, and another write of it fails with `TransactionConflictException`. All clients with the same rule meet.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
 * @example
 * const conflicts = new TransactionConflicts({ occupiesMs: 10 });
 * const containers = clients.map((client) => new Warehouse({ client: documentClient(conflicts.inject(client)), name }));
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

  /** Makes a client follow the rule, and returns it. */
  inject(client: DynamoDBClient): DynamoDBClient {
    client.middlewareStack.add(
      (next, { commandName = '' }) =>
        async (args) => {
          const input = args.input as WriteInput;
          if (commandName === 'TransactWriteItemsCommand') {
            const keys = (input.TransactItems ?? []).flatMap((item) =>
              Object.values(item).map((write) => this.#keyOf(write)),
            );
            return this.#transact(keys, () => next(args));
          }
          if (WRITES.has(commandName) && this.#occupied.has(this.#keyOf(input))) {
            this.conflicts += 1;
            throw new TransactionConflictException({ message: 'Transaction is ongoing for the item', $metadata: {} });
          }
          return next(args);
        },
      { name: 'transactionConflicts', step: 'initialize', priority: 'low', override: true },
    );
    return client;
  }

  async #transact<Answer>(keys: readonly string[], carryOut: () => Promise<Answer>): Promise<Answer> {
    this.transactions += 1;
    if (keys.some((key) => this.#occupied.has(key))) {
      this.conflicts += 1;
      throw new TransactionCanceledException({
        message: 'Transaction cancelled, please refer cancellation reasons for specific reasons',
        $metadata: {},
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
    return JSON.stringify([TableName, ...this.#keyNames.map((name) => attributes[name]?.S ?? attributes[name]?.N)]);
  }
}

/**
 * Makes a client refuse requests as a throttled table does, after the SDK's own attempts, and returns it.
 * @param isThrottled is asked at each request, with its name
 * @example injectThrottling(client, (commandName) => commandName === 'BatchGetItemCommand' && Math.random() < 0.5);
 */
export function injectThrottling(
  client: DynamoDBClient,
  isThrottled: (commandName: string) => boolean,
): DynamoDBClient {
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        if (!isThrottled(commandName)) return next(args);
        throw new ProvisionedThroughputExceededException({ message: 'The table is throttled', $metadata: {} });
      },
    { name: 'throttling', step: 'initialize', priority: 'high', override: true },
  );
  return client;
}
