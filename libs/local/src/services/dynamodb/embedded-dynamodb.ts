import { join } from 'node:path';
import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import type { MetricReport } from '../../core/observations.ts';
import type { Fault } from '../../core/runtime-options.ts';
import type { Call } from '../../core/service.ts';
import { DynamoDbAnswer, type Used } from './answer.ts';
import { DynamoDbEngine, DynamoDbError, internalServerError } from './engine/index.ts';
import type { DynamoDbBackend } from './local-dynamodb.ts';
import { reportExpired, reportRequest } from './metrics.ts';
import { NotKeptError, SqliteJournal } from './storage/sqlite-journal.ts';
import { type Consumed, hasCapacity, tablesOf } from './usage.ts';

export interface EmbeddedDynamoDbOptions {
  region: string;
  accountId: string;
  clock: Clock;
  /** Origin that clients reach it by. */
  origin?: string | undefined;
  /** Where tables are kept; in memory without one. */
  dataDirectory?: string | undefined;
  /** What goes wrong as it does at AWS, and does not otherwise because nothing takes any time here. */
  faults?: readonly Fault[] | undefined;
  /** Told when writes cannot be kept any more, and when they can again. */
  warn?: (line: string) => void;
  /** Told of values of CloudWatch metrics. */
  metric?: (report: MetricReport) => void;
}

/** With the fault `conflicts`, a transaction holds its items for at least and at most so long. */
const TRANSACTION_MS = [2, 10] as const;
/** How long after items could not be removed from the disk that is tried again. */
const RETRY_EXPIRY_MS = 10_000;

/**
 * DynamoDB in this process: the engine, the file that keeps its tables, and the clock that lets items expire.
 *
 * @example
 * await using dynamodb = new EmbeddedDynamoDb({ region, accountId, clock, dataDirectory });
 * await dynamodb.call('PutItem', { TableName: 'orders', Item: { pk: { S: 'ORDER#1' } } });
 */
export class EmbeddedDynamoDb implements DynamoDbBackend {
  readonly #engine: DynamoDbEngine;
  readonly #journal: SqliteJournal | undefined;
  readonly #clock: Clock;
  readonly #holdsItems: boolean;
  readonly #warn: (line: string) => void;
  readonly #metric: (report: MetricReport) => void;
  /** By the ARN of the stream. */
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #streamsWithRecords = new Set<string>();
  #notified: NodeJS.Immediate | undefined;
  #expiry: { at: number; timer: Timer } | undefined;
  #isKept = true;

  /** @throws Error when the data directory is in use or cannot be read */
  constructor(options: EmbeddedDynamoDbOptions) {
    const {
      region,
      accountId,
      clock,
      origin,
      dataDirectory,
      faults = [],
      warn = () => undefined,
      metric = () => undefined,
    } = options;
    this.#clock = clock;
    this.#warn = warn;
    this.#metric = metric;
    this.#holdsItems = faults.includes('conflicts');
    this.#journal = dataDirectory === undefined ? undefined : new SqliteJournal(join(dataDirectory, 'dynamodb.db'));
    this.#engine = new DynamoDbEngine({
      now: () => clock.now(),
      region,
      accountId,
      ...(origin !== undefined && { address: new URL(origin).host }),
      ...(this.#journal && { journal: this.#journal }),
      throttles: faults.includes('throttling'),
      onRecord: (streamArn) => this.#notify(streamArn),
    });
    this.#scheduleExpiry();
  }

  async call(operation: string, input: Input): Promise<Record<string, unknown>> {
    try {
      return (await this.#run(operation, input)) as Record<string, unknown>;
    } catch (error) {
      if (!(error instanceof DynamoDbError)) throw error;
      throw new AwsError(error.name, error.message, error.status, error.members);
    }
  }

  readonly answer = async ({ operation, input }: Pick<Call, 'operation' | 'input'>): Promise<DynamoDbAnswer> => {
    const startedAt = performance.now();
    const answer = await this.#answerOf(operation, input);
    const milliseconds = performance.now() - startedAt;
    reportRequest(this.#metric, { operation, tables: tablesOf(input), milliseconds, ...answer.used });
    return answer;
  };

  usedBy(output: unknown): Used | undefined {
    return output instanceof DynamoDbAnswer ? output.used : undefined;
  }

  onRecords(streamArn: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(streamArn) ?? new Set();
    this.#listeners.set(streamArn, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  console(): unknown {
    return {
      tables: [...this.#engine.tables().values()].map(({ name, items, stream }) => ({
        name,
        items: items.size,
        stream: stream?.arn,
      })),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearImmediate(this.#notified);
    this.#expiry?.timer.cancel();
    this.#journal?.close();
  }

  async #answerOf(operation: string, input: Input): Promise<DynamoDbAnswer> {
    const { ReturnConsumedCapacity: wish } = input;
    // The bill and the metrics want to know what a request has used, also when its caller does not.
    const isAsked = !hasCapacity(operation) || (wish !== undefined && wish !== 'NONE');
    try {
      const output = await this.#run(operation, isAsked ? input : { ...input, ReturnConsumedCapacity: 'TOTAL' });
      const { ConsumedCapacity, ...rest } = output as { ConsumedCapacity?: Consumed | Consumed[] };
      return DynamoDbAnswer.of(isAsked ? output : rest, ConsumedCapacity);
    } catch (error) {
      if (error instanceof DynamoDbError) return DynamoDbAnswer.refusing(error);
      throw error;
    }
  }

  /** Every answer waits until what it tells of is kept, also that of a read: it may have seen a write of the same turn. */
  async #run(operation: string, input: object): Promise<object> {
    try {
      if (this.#holdsItems && operation === 'TransactWriteItems') return await this.#runSlowly(input);
      return this.#engine.execute(operation, input);
    } finally {
      this.#scheduleExpiry();
      await this.#kept();
    }
  }

  async #runSlowly(input: object): Promise<object> {
    const transaction = this.#engine.openTransaction(input);
    const [shortest, longest] = TRANSACTION_MS;
    await this.#clock.sleep(shortest + Math.random() * (longest - shortest));
    return transaction.commit();
  }

  async #kept(): Promise<void> {
    const kept = this.#journal?.committed();
    if (!kept) return;
    try {
      await kept;
      if (!this.#isKept) this.#warn('DynamoDB can keep what is written again');
      this.#isKept = true;
    } catch (error) {
      if (!(error instanceof NotKeptError)) throw error;
      if (this.#isKept) this.#warn(error.message);
      this.#isKept = false;
      throw internalServerError(error.message);
    }
  }

  /** Once for all records of a turn, and after they are kept: the journal asked for its own turn before. */
  #notify(streamArn: string): void {
    this.#streamsWithRecords.add(streamArn);
    this.#notified ??= setImmediate(() => {
      this.#notified = undefined;
      const streams = [...this.#streamsWithRecords];
      this.#streamsWithRecords.clear();
      for (const arn of streams) for (const listener of this.#listeners.get(arn) ?? []) listener();
    });
  }

  #scheduleExpiry(notBefore = 0): void {
    const next = this.#engine.nextExpiry;
    if (next === this.#expiry?.at) return;
    this.#expiry?.timer.cancel();
    this.#expiry =
      next === undefined
        ? undefined
        : { at: next, timer: this.#clock.setTimer(Math.max(next + 1, notBefore), () => void this.#expire()) };
  }

  async #expire(): Promise<void> {
    this.#expiry = undefined;
    const expired = this.#engine.expire();
    let notBefore = 0;
    try {
      await this.#kept();
      for (const [table, count] of expired) reportExpired(this.#metric, table, count);
    } catch {
      // Reported as a warning; the items are there again.
      notBefore = this.#clock.now() + RETRY_EXPIRY_MS;
    }
    this.#scheduleExpiry(notBefore);
  }
}
