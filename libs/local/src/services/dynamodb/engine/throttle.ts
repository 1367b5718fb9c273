import { DynamoDbError, throughputExceeded } from './dynamodb-error.ts';
import type { Table } from './table.ts';

/** What one partition takes in a second. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html */
const PARTITION_UNITS = { read: 3_000, write: 1_000 };
/** Capacity that was not used is kept for five minutes. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html */
const BURST_SECONDS = 300;
const MAX_BUCKETS = 10_000;

interface Bucket {
  units: number;
  at: number;
}

/**
 * Refuses what is above the capacity of a table or of a partition, as DynamoDB does: a request passes while there is
 * anything left, and what it uses is taken from the next second.
 */
export class Throttle {
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;

  /** @param now milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Lets a request pass.
   * @param partition the partition key
   * @throws DynamoDbError ProvisionedThroughputExceededException, or ThrottlingException for a table on demand
   */
  check(kind: 'read' | 'write', table: Table, partition: string): void {
    if (this.#buckets.size > MAX_BUCKETS) this.#buckets.clear();
    for (const [id, rate, burst] of limits(kind, table, partition)) {
      if (this.#bucket(id, rate, burst).units <= 0) throw refusal(table);
    }
  }

  /** Takes what a request has used. */
  use(kind: 'read' | 'write', table: Table, partition: string, units: number): void {
    for (const [id, rate, burst] of limits(kind, table, partition)) this.#bucket(id, rate, burst).units -= units;
  }

  #bucket(id: string, rate: number, burst: number): Bucket {
    const now = this.#now();
    const bucket = this.#buckets.get(id);
    if (!bucket) {
      const full = { units: burst, at: now };
      this.#buckets.set(id, full);
      return full;
    }
    bucket.units = Math.min(burst, bucket.units + (Math.max(0, now - bucket.at) / 1000) * rate);
    bucket.at = now;
    return bucket;
  }
}

function limits(
  kind: 'read' | 'write',
  { name, definition: { billingMode, throughput } }: Table,
  partition: string,
): [id: string, rate: number, burst: number][] {
  const units = PARTITION_UNITS[kind];
  const ofPartition: [string, number, number] = [`${kind} ${name} ${partition}`, units, units];
  if (billingMode === 'PAY_PER_REQUEST') return [ofPartition];
  const rate = kind === 'read' ? throughput.ReadCapacityUnits : throughput.WriteCapacityUnits;
  return [[`${kind} ${name}`, rate, rate * BURST_SECONDS], ofPartition];
}

function refusal({ definition: { billingMode } }: Table): DynamoDbError {
  if (billingMode === 'PROVISIONED') return throughputExceeded();
  return new DynamoDbError(
    'ThrottlingException',
    'Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or index so please try again shortly. If exceptions persist, check if you have a hot key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html',
  );
}
