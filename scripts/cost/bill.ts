import type { Meter } from '@millrace/local';
import { type Measurement, totalOf } from './measurement.ts';
import { dollarsFor, type PriceTable, priceOf } from './price-table.ts';
import { millraceServiceOf } from './service-names.ts';
import type { DeliveryStream, Inventory } from './template-inventory.ts';

/** One item of a bill. */
export interface BillLine {
  product: string;
  what: string;
  /** Of Millrace: `orders`. */
  service: string;
  amount: number;
  unit: string;
  /** Undefined where the price table has no price. */
  dollars: number | undefined;
}

const MILLION = 1_000_000;

/**
 * Long polls that Lambda keeps open at an idle queue whose mapping has a maximum concurrency, and how long each is. AWS does not say how many a
 * pipe keeps open: as many are counted.
 */
const POLLERS = 5;
const POLL_SECONDS = 20;
const MONTH_SECONDS = 30 * 86_400;
const MONTH_HOURS = MONTH_SECONDS / 3600;

/** Requests a month of an event source mapping, or a pipe, with nothing to do. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
export const IDLE_POLLS_A_MONTH = (POLLERS * MONTH_SECONDS) / POLL_SECONDS;

/** The price of each meter that AWS bills. What is not here costs nothing. */
const PRICE_OF: Partial<Record<Meter, string>> = {
  'lambda.invocations': 'lambda.requests',
  'lambda.gigabyteSeconds': 'lambda.duration',
  'lambda.durableOperations': 'lambda.durableOperations',
  'lambda.durableBytes': 'lambda.durableWrites',
  'dynamodb.writeUnits': 'dynamodb.writeUnits',
  'dynamodb.readUnits': 'dynamodb.readUnits',
  'sqs.requests': 'sqs.requests',
  'events.published': 'events.published',
  'events.archivedBytes': 'events.archiveProcessing',
  'pipes.requests': 'pipes.requests',
  'scheduler.invocations': 'scheduler.invocations',
  'states.transitions': 'states.transitions',
  'kinesis.payloadUnits': 'kinesis.payloadUnits',
  'firehose.ingestedBytes': 'firehose.ingestion',
  'httpApi.requests': 'httpApi.requests',
  'httpApi.bytesOut': 'dataTransfer.out',
  'ses.recipients': 'ses.recipients',
  'sns.textMessages': 'sns.textMessages',
  's3.writes': 's3.writes',
  's3.reads': 's3.reads',
  'logs.bytes': 'logs.ingestion',
};

/** What a million orders like the measured ones cost, a line for each product, thing and service. */
export function billForAMillionOrders(
  measurement: Measurement,
  table: PriceTable,
  services: readonly string[],
  { deliveryStreams }: Pick<Inventory, 'deliveryStreams'>,
): BillLine[] {
  const { orders, stage, usage } = measurement;
  const lines = new Lines(table);
  for (const { meter, resource, amount } of usage) {
    const price = PRICE_OF[meter];
    if (price !== undefined)
      lines.add(price, millraceServiceOf(resource, services, stage), (amount / orders) * MILLION);
  }
  for (const stream of deliveryStreams) {
    const { bytes, partitions } = deliveredBy(measurement, stream);
    if (partitions === 0) continue;
    // One for each partition and interval of a month: over a month a million orders leave no partition without any in an interval. They do
    // not grow with the orders, but where the buffer is full before the interval is over.
    const objects = (partitions * MONTH_SECONDS) / stream.bufferSeconds;
    lines.add('s3.writes', stream.service, objects);
    if (!stream.isPartitioned) continue;
    lines.add('firehose.partitionedObjects', stream.service, objects);
    lines.add('firehose.partitionedBytes', stream.service, (bytes / orders) * MILLION);
  }
  return lines.all();
}

/** What a delivery stream was given, and to how many prefixes it goes. */
function deliveredBy(
  { usage }: Pick<Measurement, 'usage'>,
  { name }: DeliveryStream,
): { bytes: number; partitions: number } {
  const delivered = usage.filter(
    ({ meter, resource }) => meter === 'firehose.deliveredBytes' && resource.startsWith(`${name}/`),
  );
  return { bytes: delivered.reduce((sum, { amount }) => sum + amount, 0), partitions: delivered.length };
}

/** What keeping the traces of a million orders costs a month: rows, backups, archived events, the lake, logs. */
export function storageOfAMillionOrders(
  measurement: Measurement,
  table: PriceTable,
  services: readonly string[],
  inventory: Pick<Inventory, 'tablesWithRecovery'>,
): BillLine[] {
  const { orders, stage, stored } = measurement;
  const lines = new Lines(table);
  const add = (price: string, resource: string, bytes: number): void =>
    lines.add(price, millraceServiceOf(resource, services, stage), (bytes / orders) * MILLION);
  for (const { table: name, kept, expiring } of stored) {
    add('dynamodb.storage', name, kept + expiring);
    if (inventory.tablesWithRecovery.includes(name)) add('dynamodb.pointInTimeRecovery', name, kept + expiring);
  }
  for (const { meter, resource, amount } of measurement.usage) {
    if (meter === 'events.archivedBytes') add('events.archiveStorage', resource, amount);
    if (meter === 'logs.bytes') add('logs.storage', resource, amount);
    if (meter === 'firehose.deliveredBytes') add('s3.storage', resource, amount);
    if (meter === 'lambda.durableBytes') add('lambda.durableStorage', resource, amount);
  }
  return lines.all();
}

/** What a month costs in which nobody orders. Custom metrics are only charged for hours with orders: here, for all. */
export function fixedBill(measurement: Measurement, table: PriceTable, inventory: Inventory): BillLine[] {
  const lines = new Lines(table);
  for (const { service, metrics } of inventory.alarms) lines.add('cloudwatch.alarms', service, metrics);
  for (const { service } of [...inventory.consumers, ...inventory.pipes])
    lines.add('sqs.requests', service, IDLE_POLLS_A_MONTH);
  for (const { service, shards } of inventory.streams) lines.add('kinesis.shardHours', service, shards * MONTH_HOURS);
  for (const { meter, resource } of measurement.usage) {
    if (meter !== 'cloudwatch.metrics') continue;
    const service = /\bservice=millrace-(\S+)/.exec(resource)?.[1] ?? '';
    lines.add('cloudwatch.metrics', service, 1);
  }
  return lines.all();
}

/** The sum of the lines that have a price. */
export function sumOf(lines: readonly BillLine[]): number {
  return lines.reduce((sum, { dollars = 0 }) => sum + dollars, 0);
}

/** The sums by one property, the largest first. */
export function sumsBy(lines: readonly BillLine[], property: 'product' | 'service'): Map<string, number> {
  const sums = new Map<string, number>();
  for (const line of lines) sums.set(line[property], (sums.get(line[property]) ?? 0) + (line.dollars ?? 0));
  return new Map([...sums].sort(([, one], [, other]) => other - one));
}

/** Milliseconds of functions that one order takes, and what each 10 ms more for every invocation add to a million orders. */
export function sensitivityToDuration(measurement: Measurement, table: PriceTable): number {
  const gigabyteMs = measurement.usage
    .filter(({ meter }) => meter === 'lambda.gigabyteSeconds')
    .reduce((sum, { resource, amount }) => {
      const gigabytes = amount / (totalOf(measurement, 'lambda.milliseconds', resource) / 1000);
      return sum + gigabytes * totalOf(measurement, 'lambda.invocations', resource);
    }, 0);
  return dollarsFor(table, 'lambda.duration', ((gigabyteMs * 10) / 1000 / measurement.orders) * MILLION) ?? 0;
}

class Lines {
  readonly #table: PriceTable;
  readonly #lines = new Map<string, BillLine>();

  constructor(table: PriceTable) {
    this.#table = table;
  }

  add(priceName: string, service: string, amount: number): void {
    const { product, what, unit } = priceOf(this.#table.prices, priceName);
    const key = `${priceName} ${service}`;
    const line = this.#lines.get(key) ?? { product, what, service, amount: 0, unit, dollars: 0 };
    line.amount += amount;
    line.dollars = dollarsFor(this.#table, priceName, line.amount);
    this.#lines.set(key, line);
  }

  all(): BillLine[] {
    return [...this.#lines.values()].sort(
      (one, other) =>
        one.product.localeCompare(other.product) ||
        one.what.localeCompare(other.what) ||
        one.service.localeCompare(other.service),
    );
  }
}
