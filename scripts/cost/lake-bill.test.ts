import { describe, expect, test } from '@jest/globals';
import { type BillLine, billForAMillionOrders, storageOfAMillionOrders, sumOf } from './bill.ts';
import type { Measurement } from './measurement.ts';
import { readPriceTable } from './price-table.ts';
import { quotaUses, readQuotaTable } from './quota-use.ts';
import { formatReport, makeReport } from './report.ts';
import type { Inventory } from './template-inventory.ts';
import { plannedView, VIEW_MIX, VIEWS_OF_A_VISIT } from './view-mix.ts';

const services = ['analytics', 'interactions', 'orders'];
const LAKE = 'millrace-analytics-prod-lake';
const VIEWS = 'millrace-analytics-prod-views';
const GB = 1024 ** 3;

const inventory: Inventory = {
  ...{ alarms: [], consumers: [], relays: [], pipes: [], streams: [], tables: [], tablesWithRecovery: [] },
  ...{ approvalSeconds: 0, timeToLive: new Map() },
  deliveryStreams: [
    { service: 'analytics', name: LAKE, bufferSeconds: 900, isPartitioned: true },
    { service: 'analytics', name: VIEWS, bufferSeconds: 900, isPartitioned: true },
  ],
};

type Entry = [Measurement['usage'][number]['meter'], string, number];

function measured(entries: Entry[]): Measurement {
  const usage = entries.map(([meter, resource, amount]) => ({ meter, resource, operation: '', amount }));
  return { orders: 10, clients: 1, stage: 'prod', usage, latenciesMs: [], stored: [] };
}

/** Ten orders with five events each, of which each is 1 KB. */
const counted = measured([
  ['firehose.requests', LAKE, 50],
  ['firehose.ingestedBytes', LAKE, 50 * 5 * 1024],
  ...['OrderPlaced.v1', 'StockReserved.v1', 'PaymentProcessed.v1', 'ShipmentCreated.v1', 'OrderConfirmed.v1'].map(
    (type): Entry => ['firehose.deliveredBytes', `${LAKE}/events/event_date=2026-12-01/event_type=${type}/`, 10 * 1024],
  ),
  ['kinesis.payloadUnits', 'millrace-interactions-prod-postInteractions', 20],
]);

const bill = (measurement: Measurement, streams = inventory): BillLine[] =>
  billForAMillionOrders(measurement, readPriceTable(), services, streams);
const lineOf = (lines: BillLine[], what: string) => lines.find((line) => line.what === what);

describe('the bill of the lake', () => {
  test('has the ingestion by 5 KB of each record, and what is partitioned by its own bytes', () => {
    const lines = bill(counted);
    // Five million records of 5 KB are 23.84 GB; of 1 KB 4.77 GB.
    const ingestion = lineOf(lines, 'ingestion, each record by 5 KB');
    expect(ingestion).toMatchObject({ service: 'analytics', product: 'Amazon Data Firehose', amount: 5e6 * 5120 });
    expect(ingestion?.dollars).toBeCloseTo(((5e6 * 5120) / GB) * 0.029, 10);
    expect(lineOf(lines, 'dynamic partitioning, data')?.dollars).toBeCloseTo(((5e6 * 1024) / GB) * 0.02, 10);
  });

  test('has an object for each partition and interval of a month, and a PUT for each of them', () => {
    const lines = bill(counted);
    // 30 days have 2,880 quarters of an hour.
    const objects = 5 * 2880;
    expect(lineOf(lines, 'dynamic partitioning, objects')).toMatchObject({ service: 'analytics', amount: objects });
    expect(lineOf(lines, 'dynamic partitioning, objects')?.dollars).toBeCloseTo(objects * 0.000005, 10);
    expect(lineOf(lines, 'PUT, COPY, POST and LIST requests')).toMatchObject({ amount: objects });
    expect(lineOf(lines, 'PUT, COPY, POST and LIST requests')?.dollars).toBeCloseTo(objects * 0.000005, 10);
  });

  test('has PUTs alone where a stream is not partitioned, and nothing of a stream that wrote nothing', () => {
    const plain = inventory.deliveryStreams.map((stream) => ({ ...stream, isPartitioned: false }));
    const lines = bill(counted, { ...inventory, deliveryStreams: plain });
    expect(lineOf(lines, 'dynamic partitioning, objects')).toBeUndefined();
    expect(lineOf(lines, 'PUT, COPY, POST and LIST requests')?.amount).toBe(5 * 2880);
    expect(bill(measured([]))).toEqual([]);
  });

  test('has records of the stream of views by 25 KB', () => {
    expect(lineOf(bill(counted), 'records put, by 25 KB')).toMatchObject({
      service: 'interactions',
      amount: 2_000_000,
      dollars: expect.closeTo(0.028),
    });
  });

  test('what it keeps is charged every month', () => {
    const lines = storageOfAMillionOrders(counted, readPriceTable(), services, inventory);
    expect(sumOf(lines)).toBeCloseTo(((5e6 * 1024) / GB) * 0.023, 10);
    expect(lines).toEqual([expect.objectContaining({ product: 'Amazon S3', what: 'storage', service: 'analytics' })]);
  });

  test('is in the report', () => {
    const report = makeReport(counted, readPriceTable(), readQuotaTable(), inventory, services);
    expect(report.counted).toMatchObject({ 'firehose.ingestedBytes': 25_600, 'firehose.deliveredBytes': 5_120 });
    expect(formatReport(report)).toMatch(/Amazon Data Firehose +ingestion, each record by 5 KB .* \$0\.69\n/);
  });

  test('is met by the requests to a delivery stream', () => {
    const uses = quotaUses(counted, readQuotaTable(), inventory);
    expect(uses.find(({ name }) => name === 'Firehose, requests to a stream')?.metAt).toBeCloseTo(2_000 / 5, 6);
    expect(uses.find(({ name }) => name === 'Kinesis, records of one shard')?.metAt).toBeCloseTo(1_000 / 2, 6);
  });
});

describe('views', () => {
  test('are told of as views', () => {
    const report = makeReport({ ...counted, what: 'views' }, readPriceTable(), readQuotaTable(), inventory, services);
    expect(report.mix).toBe(VIEW_MIX);
    expect(formatReport(report)).toContain('A MILLION VIEWS, BY AWS PRODUCT AND MILLRACE SERVICE');
  });

  test('two in six are of products', () => {
    const views = Array.from({ length: VIEWS_OF_A_VISIT }, (_, index) => plannedView(index));
    expect(views.filter(({ sku }) => sku !== undefined).map(({ page }) => page)).toEqual(['product', 'product']);
  });
});
