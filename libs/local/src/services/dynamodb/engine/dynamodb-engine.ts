import { DynamoDbError, serializationError } from './dynamodb-error.ts';
import { ExpiryQueue } from './expiry-queue.ts';
import { type Journal, noJournal } from './journal.ts';
import { OpenTransactions } from './open-transactions.ts';
import { batchGetItem, batchWriteItem } from './operations/batch-operations.ts';
import { getItem, query, scan } from './operations/read-operations.ts';
import type { EngineState } from './operations/request.ts';
import { RequestTokens } from './operations/request-tokens.ts';
import { describeEndpoints, describeLimits, refusePartiQl } from './operations/service-operations.ts';
import { describeStream, getRecords, getShardIterator, listStreams } from './operations/stream-operations.ts';
import * as tables from './operations/table-operations.ts';
import { listTagsOfResource, tagResource, untagResource } from './operations/tag-operations.ts';
import { describeTimeToLive, updateTimeToLive } from './operations/time-to-live.ts';
import {
  beginTransaction,
  type OpenTransaction,
  type TransactWriteInput,
  transactGetItems,
} from './operations/transactions.ts';
import { updateTable } from './operations/update-table.ts';
import { deleteItem, putItem, updateItem } from './operations/write-operations.ts';
import { StreamRegistry } from './stream-registry.ts';
import { Table, type TableState } from './table.ts';
import { Throttle } from './throttle.ts';

export interface DynamoDbEngineOptions {
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
  region?: string;
  accountId?: string;
  /** Keeps what is written, and has what was written before; nothing is kept unless given. */
  journal?: Journal;
  /** Host and port that DescribeEndpoints tells. */
  address?: string;
  /** Refuses requests above the capacity of tables and partitions. */
  throttles?: boolean;
  /** Called with the ARN of its stream for each record. */
  onRecord?: (streamArn: string) => void;
}

// The input of an operation is JSON from outside: each operation checks what it reads.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Operation = (state: EngineState, input: any) => object;

const operations: Readonly<Record<string, Operation>> = {
  BatchExecuteStatement: refusePartiQl,
  BatchGetItem: batchGetItem,
  BatchWriteItem: batchWriteItem,
  CreateTable: tables.createTable,
  DeleteItem: deleteItem,
  DeleteTable: tables.deleteTable,
  DescribeContinuousBackups: tables.describeContinuousBackups,
  DescribeEndpoints: describeEndpoints,
  DescribeLimits: describeLimits,
  DescribeStream: describeStream,
  DescribeTable: tables.describe,
  DescribeTimeToLive: describeTimeToLive,
  ExecuteStatement: refusePartiQl,
  ExecuteTransaction: refusePartiQl,
  GetItem: getItem,
  GetRecords: getRecords,
  GetShardIterator: getShardIterator,
  ListStreams: listStreams,
  ListTables: tables.listTables,
  ListTagsOfResource: listTagsOfResource,
  PutItem: putItem,
  Query: query,
  Scan: scan,
  TagResource: tagResource,
  TransactGetItems: transactGetItems,
  TransactWriteItems: (state, input) => beginTransaction(state, input).commit(),
  UntagResource: untagResource,
  UpdateContinuousBackups: tables.updateContinuousBackups,
  UpdateItem: updateItem,
  UpdateTable: updateTable,
  UpdateTimeToLive: updateTimeToLive,
};

/**
 * DynamoDB and its streams within this process: tables in, answers out, in the format of the JSON protocol. Every
 * operation happens at one moment; only a transaction can be held open, so that others can overlap with it.
 *
 * @example
 * const engine = new DynamoDbEngine();
 * engine.execute('CreateTable', { TableName: 'orders', … });
 * engine.execute('PutItem', { TableName: 'orders', Item: { pk: { S: 'ORDER#1' } } });
 */
export class DynamoDbEngine {
  readonly #state: EngineState;

  /** @throws Error when the journal cannot be read */
  constructor({
    now = Date.now,
    region = 'us-east-1',
    accountId = '000000000000',
    journal = noJournal,
    address = 'localhost',
    throttles = false,
    onRecord = () => undefined,
  }: DynamoDbEngineOptions = {}) {
    const environment = { now, region, accountId, journal, expiries: new ExpiryQueue(now) };
    const streams = new StreamRegistry({ ...environment, onRecord });
    const state: EngineState = {
      tables: new Map(),
      streams,
      transactions: new OpenTransactions(),
      tokens: new RequestTokens(environment),
      environment,
      address,
      throttle: throttles ? new Throttle(now) : undefined,
    };
    for (const { value } of journal.load('tables')) {
      const table = new Table(value as TableState, environment);
      table.stream = streams.current(table.name);
      state.tables.set(table.name, table);
    }
    this.#state = state;
  }

  /**
   * Runs one operation.
   * @param operation its name, for example `PutItem`
   * @param input as the JSON protocol has it
   * @returns the output as the JSON protocol has it; it must not be changed
   * @throws DynamoDbError with AWS's name and message
   */
  execute(operation: string, input: object): object {
    assertStructure(input);
    const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
    if (!run) throw new DynamoDbError('UnknownOperationException', `${operation} is not an operation of this DynamoDB`);
    return run(this.#state, input);
  }

  /**
   * Begins TransactWriteItems. Until it commits or is abandoned, other writes to its items are refused as conflicts.
   * @throws DynamoDbError as `execute`
   */
  openTransaction(input: TransactWriteInput): OpenTransaction {
    assertStructure(input);
    return beginTransaction(this.#state, input);
  }

  /** A table, or undefined when there is none of this name. */
  table(name: string): Table | undefined {
    return this.#state.tables.get(name);
  }

  /** The tables, by name. */
  tables(): ReadonlyMap<string, Table> {
    return this.#state.tables;
  }

  /** When the next item expires by Time to Live, in milliseconds since 1970; undefined when none does. */
  get nextExpiry(): number | undefined {
    return this.#state.environment.expiries.next;
  }

  /** Removes what Time to Live has expired. @returns how many items of which table */
  expire(): ReadonlyMap<string, number> {
    const before = new Map([...this.#state.tables].map(([name, { items }]) => [name, items.size]));
    this.#state.environment.expiries.run();
    const expired = new Map<string, number>();
    for (const [name, { items }] of this.#state.tables) {
      const count = (before.get(name) ?? 0) - items.size;
      if (count > 0) expired.set(name, count);
    }
    return expired;
  }
}

function assertStructure(input: unknown): void {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return;
  throw serializationError('Start of structure or map found where not expected');
}
