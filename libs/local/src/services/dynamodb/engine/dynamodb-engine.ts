import { DynamoDbError } from './dynamodb-error.ts';
import type { ItemStorage } from './item-storage.ts';
import { OpenTransactions } from './open-transactions.ts';
import { batchGetItem, batchWriteItem } from './operations/batch-operations.ts';
import { getItem, query, scan } from './operations/read-operations.ts';
import { type EngineState, serializationError } from './operations/request.ts';
import * as tables from './operations/table-operations.ts';
import {
  beginTransaction,
  type OpenTransaction,
  RequestTokens,
  type TransactWriteInput,
  transactGetItems,
} from './operations/transactions.ts';
import { deleteItem, putItem, updateItem } from './operations/write-operations.ts';
import type { Table, TableEnvironment } from './table.ts';

export interface DynamoDbEngineOptions {
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
  region?: string;
  accountId?: string;
  /** Makes the storage of a table or of one of its indexes; memory unless given. */
  storage?: (tableName: string, indexName?: string) => ItemStorage;
}

// The input of an operation is JSON from outside: each operation checks what it reads.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Operation = (state: EngineState, input: any) => object;

const operations: Record<string, Operation> = {
  BatchGetItem: batchGetItem,
  BatchWriteItem: batchWriteItem,
  DeleteItem: deleteItem,
  DeleteTable: tables.deleteTable,
  DescribeStream: tables.describeStream,
  DescribeTable: tables.describeTable,
  DescribeTimeToLive: tables.describeTimeToLive,
  GetItem: getItem,
  GetRecords: tables.getRecords,
  GetShardIterator: tables.getShardIterator,
  ListStreams: tables.listStreams,
  ListTables: tables.listTables,
  PutItem: putItem,
  Query: query,
  Scan: scan,
  TransactGetItems: transactGetItems,
  UpdateItem: updateItem,
  UpdateTimeToLive: tables.updateTimeToLive,
};

/**
 * DynamoDB and its streams within this process: tables in, answers out, in the format of the JSON protocol. Every
 * operation happens at one moment; only a transaction can be held open, so that a simulation can let others overlap with it.
 *
 * @example
 * const engine = new DynamoDbEngine();
 * engine.execute('CreateTable', { TableName: 'orders', … });
 * engine.execute('PutItem', { TableName: 'orders', Item: { pk: { S: 'ORDER#1' } } });
 */
export class DynamoDbEngine {
  readonly #environment: TableEnvironment;
  readonly #state: EngineState;
  readonly #tokens = new RequestTokens();

  constructor({
    now = Date.now,
    region = 'us-east-1',
    accountId = '000000000000',
    storage,
  }: DynamoDbEngineOptions = {}) {
    this.#environment = { now, region, accountId, ...(storage && { storage }) };
    this.#state = { tables: new Map(), transactions: new OpenTransactions(), now };
  }

  /**
   * Runs one operation.
   * @param operation its name, for example `PutItem`
   * @param input as the JSON protocol has it
   * @returns the output as the JSON protocol has it; it must not be changed
   * @throws DynamoDbError with AWS's name and message
   */
  execute(operation: string, input: object): object {
    if (typeof input !== 'object' || input === null || Array.isArray(input)) {
      throw serializationError('Start of structure or map found where not expected');
    }
    if (operation === 'TransactWriteItems') return this.openTransaction(input as TransactWriteInput).commit();
    if (operation === 'CreateTable') return tables.createTable(this.#state, input, this.#environment);
    const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
    if (!run) throw new DynamoDbError('UnknownOperationException', `${operation} is not an operation of this DynamoDB`);
    return run(this.#state, input);
  }

  /**
   * Begins TransactWriteItems. Until it commits or is abandoned, other writes to its items are refused as conflicts.
   * @throws DynamoDbError as `execute`
   */
  openTransaction(input: TransactWriteInput): OpenTransaction {
    return beginTransaction(this.#state, this.#tokens, input);
  }

  /** A table, or undefined when there is none of this name. */
  table(name: string): Table | undefined {
    return this.#state.tables.get(name);
  }

  /** Removes from every table what Time to Live has expired. @returns how many items */
  expire(): number {
    let expired = 0;
    for (const table of this.#state.tables.values()) expired += table.expire();
    return expired;
  }
}
