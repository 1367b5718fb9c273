import { describe, expect, test } from '@jest/globals';
import {
  billForAMillionOrders,
  fixedBill,
  IDLE_POLLS_A_MONTH,
  sensitivityToDuration,
  storageOfAMillionOrders,
  sumOf,
  sumsBy,
} from './bill.ts';
import { storedBytesOf } from './item-size.ts';
import { busiestOf, type Measurement, totalOf, withLambdaDuration } from './measurement.ts';
import { plannedOrder } from './order-mix.ts';
import { dollarsFor, type PriceTable, readPriceTable } from './price-table.ts';
import { loadAt, quotaUses, readQuotaTable, templateLimits } from './quota-use.ts';
import { formatReport, makeReport } from './report.ts';
import { millraceServiceOf, shortNameOf } from './service-names.ts';
import type { Inventory } from './template-inventory.ts';
import { inventoryOf } from './template-inventory.ts';

const services = ['event-bus', 'orders', 'payments'];

type Entry = [Measurement['usage'][number]['meter'], string, number, string?];

function measured(entries: Entry[], changes: Partial<Measurement> = {}): Measurement {
  const usage = entries.map(([meter, resource, amount, operation = '']) => ({ meter, resource, operation, amount }));
  return { orders: 10, clients: 1, stage: 'prod', usage, latenciesMs: [], stored: [], ...changes };
}

const inventory: Inventory = {
  alarms: [
    { service: 'orders', name: 'dlq-depth', metrics: 1 },
    { service: 'orders', name: 'stopped', metrics: 2 },
  ],
  consumers: [
    {
      service: 'orders',
      functionName: 'millrace-orders-prod-onOrderProgress',
      queueName: 'millrace-orders-prod-on-order-progress',
      maximumConcurrency: 10,
      maxReceiveCount: 5,
      maxRetryDelay: 300,
    },
  ],
  relays: [{ service: 'orders', functionName: 'millrace-orders-prod-relay', batchesPerShard: 1 }],
  pipes: [],
  streams: [],
  deliveryStreams: [],
  approvalSeconds: 86_400,
  tables: ['millrace-orders-prod'],
  tablesWithRecovery: ['millrace-orders-prod'],
  timeToLive: new Map(),
};

describe('the price table', () => {
  const table = readPriceTable();

  test('has a price, a unit, a date and a source for each thing, or says that it has no price', () => {
    expect(table).toMatchObject({
      region: 'us-east-1',
      architecture: 'arm64',
      checked: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    });
    for (const [name, price] of Object.entries(table.prices)) {
      expect({ name, ...price }).toMatchObject({
        product: expect.stringMatching(/\S/),
        what: expect.stringMatching(/\S/),
        unit: expect.stringMatching(/\S/),
        date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
        source: expect.stringMatching(/^https:\/\//),
        evidence: expect.stringMatching(/\S/),
        verified: expect.any(Boolean),
      });
      expect(price.per).toBeGreaterThan(0);
      if (price.price === null) expect(price.verified).toBe(false);
      else expect(price.price).toBeGreaterThan(0);
    }
  });

  test('turns an amount into dollars', () => {
    expect(dollarsFor(table, 'sqs.requests', 2_500_000)).toBeCloseTo(1, 10);
    expect(dollarsFor(table, 'lambda.duration', 1_000_000)).toBeCloseTo(13.3334, 10);
    expect(dollarsFor(table, 'logs.ingestion', 1024 ** 3)).toBeCloseTo(0.5, 10);
    expect(dollarsFor(table, 'ses.recipients', 1_000_000)).toBeCloseTo(160, 10);
    expect(dollarsFor(table, 'sns.textMessages', 5)).toBeUndefined();
    expect(() => dollarsFor(table, 'sqs.request', 1)).toThrow('prices.json has no price "sqs.request"');
  });
});

describe('the bill for a million orders', () => {
  const table: PriceTable = readPriceTable();
  const lines = billForAMillionOrders(
    measured([
      ['sqs.requests', 'millrace-orders-prod-on-order-progress', 20, 'SendMessage'],
      ['sqs.requests', 'millrace-orders-prod-on-order-progress', 10, 'ReceiveMessage'],
      ['sqs.requests', 'millrace-payments-prod-onStockReserved', 10, 'ChangeMessageVisibility'],
      ['events.published', 'millrace-orders-prod-relay', 20],
      ['events.delivered', 'millrace-orders-prod-on-order-progress', 20],
      ['sns.textMessages', 'millrace-orders-prod-relay', 10],
      ['s3.writes', 'millrace-orders-prod-postOrder', 1, 'PutObject'],
      ['s3.reads', 'millrace-orders-prod-relay', 5, 'GetObject'],
      ['pipes.requests', 'millrace-payments-prod-bank', 15],
    ]),
    table,
    services,
    inventory,
  );

  test('has a line for each thing that is billed, and none for what is free', () => {
    expect(lines).toEqual([
      expect.objectContaining({ what: 'custom events', service: 'orders', amount: 2_000_000, dollars: 2 }),
      expect.objectContaining({ what: 'events through pipes', service: 'payments', amount: 1_500_000 }),
      expect.objectContaining({ product: 'Amazon S3', what: expect.stringContaining('GET'), amount: 500_000 }),
      expect.objectContaining({ product: 'Amazon S3', what: expect.stringContaining('PUT'), amount: 100_000 }),
      expect.objectContaining({ what: 'SMS', service: 'orders', amount: 1_000_000, dollars: undefined }),
      expect.objectContaining({ product: 'Amazon SQS', service: 'orders', amount: 3_000_000 }),
      expect.objectContaining({ product: 'Amazon SQS', service: 'payments', amount: 1_000_000 }),
    ]);
    expect(lines.map(({ dollars }) => dollars?.toFixed(4))).toEqual([
      ...['2.0000', '0.6000', '0.2000', '0.5000', undefined],
      ...['1.2000', '0.4000'],
    ]);
  });

  test('adds up by product and by service, what has no price left out', () => {
    expect(sumOf(lines)).toBeCloseTo(4.9, 10);
    expect([...sumsBy(lines, 'service')].map(([service, sum]) => `${service} ${sum.toFixed(2)}`)).toEqual([
      'orders 3.90',
      'payments 1.00',
    ]);
    expect([...sumsBy(lines, 'product').keys()]).toEqual([
      ...['Amazon EventBridge', 'Amazon SQS', 'Amazon S3', 'Amazon SNS'],
    ]);
  });

  test('functions may be given a duration', () => {
    const counted = measured([
      ['lambda.invocations', 'f', 30],
      ['lambda.milliseconds', 'f', 300],
      ['lambda.gigabyteSeconds', 'f', 0.15],
    ]);
    const slower = withLambdaDuration(counted, 40);
    expect(totalOf(slower, 'lambda.milliseconds')).toBe(1200);
    expect(totalOf(slower, 'lambda.gigabyteSeconds')).toBeCloseTo(0.6, 10);
    expect(totalOf(slower, 'lambda.invocations')).toBe(30);
    // 3 invocations × 10 ms × 0.5 GB × a million
    expect(sensitivityToDuration(counted, table)).toBeCloseTo(15_000 * 0.0000133334, 10);
  });

  test('what is kept is charged every month', () => {
    const counted = measured(
      [
        ['events.archivedBytes', 'millrace-prod', 10_737.41824],
        ['logs.bytes', 'millrace-orders-prod-relay', 10_737.41824],
      ],
      { stored: [{ table: 'millrace-orders-prod', kept: 10_000, expiring: 737.41824 }] },
    );
    // A million orders keep a GB of each.
    const stored = storageOfAMillionOrders(counted, table, services, inventory);
    expect(stored.map(({ what, service, dollars }) => `${service}: ${what} ${dollars?.toFixed(4)}`)).toEqual([
      'orders: logs storage 0.0300',
      'orders: point-in-time recovery 0.2000',
      'orders: storage 0.2500',
      'event-bus: archive storage 0.0230',
    ]);
  });

  test('a month without orders has alarms, idle polls and metrics', () => {
    const counted = measured([
      ['cloudwatch.metrics', 'Millrace EventHandled service=millrace-orders', 30],
      ['cloudwatch.metrics', 'Millrace EventEmitted service=millrace-orders', 20],
    ]);
    expect(IDLE_POLLS_A_MONTH).toBe(648_000);
    expect(
      fixedBill(counted, table, inventory).map(({ what, amount, dollars }) => [what, amount, dollars?.toFixed(4)]),
    ).toEqual([
      ['alarms', 3, '0.3000'],
      ['custom metrics', 2, '0.6000'],
      ['requests to standard queues', 648_000, '0.2592'],
    ]);
    // A pipe polls its queue as a mapping does.
    const withPipe = { ...inventory, pipes: [{ service: 'orders', name: 'millrace-orders-prod-partner' }] };
    expect(fixedBill(counted, table, withPipe).at(-1)).toMatchObject({ amount: 2 * IDLE_POLLS_A_MONTH });
    // A shard is paid whether something is in it or not.
    const withStream = { ...inventory, streams: [{ service: 'interactions', shards: 2 }] };
    const shards = fixedBill(counted, table, withStream).find(({ what }) => what === 'shards');
    expect(shards).toMatchObject({ service: 'interactions', amount: 1440, dollars: expect.closeTo(21.6) });
  });
});

describe('the report', () => {
  test('has products in lines and services in columns, and the sums of both', () => {
    const counted = measured([
      ['sqs.requests', 'millrace-orders-prod-on-order-progress', 30],
      ['sqs.requests', 'millrace-payments-prod-on-stock-reserved', 10],
      ['events.published', 'millrace-orders-prod-relay', 20],
    ]);
    const report = makeReport(counted, readPriceTable(), readQuotaTable(), inventory, services);
    expect(formatReport(report)).toContain(`
PRODUCT             ORDERS  PAYMENTS  TOGETHER
Amazon EventBridge   $2.00         –     $2.00
Amazon SQS           $1.20     $0.40     $1.60
together             $3.20     $0.40     $3.60
`);
  });
});

describe('quotas', () => {
  const quotas = readQuotaTable();
  const counted = measured([
    ['httpApi.requests', 'f', 30],
    ['lambda.milliseconds', 'millrace-orders-prod-onOrderProgress', 500],
    ['lambda.milliseconds', 'millrace-orders-prod-relay', 1500],
    ['lambda.invocations', 'millrace-orders-prod-relay', 20],
    ['events.published', 'millrace-orders-prod-relay', 50],
    ['events.delivered', 'rule', 100],
    ['dynamodb.writeUnits', 'one', 100],
    ['dynamodb.writeUnits', 'other', 60, 'PutItem'],
    ['dynamodb.writeUnits', 'other', 60, 'TransactWriteItems'],
    ['dynamodb.keyWriteUnits', 'one/SKU', 40],
    ['sqs.requests', 'millrace-orders-prod-on-order-progress', 30, 'SendMessage'],
    ['sqs.requests', 'millrace-orders-prod-on-order-progress', 30, 'ReceiveMessage'],
    ['ses.recipients', 'f', 10],
  ]);
  const metAt = (part: string, measurement = counted) =>
    quotaUses(measurement, quotas, inventory).find(({ name }) => name.includes(part))?.metAt;

  test('each has a value, a unit and a source', () => {
    for (const quota of Object.values(quotas.quotas)) {
      expect(quota).toMatchObject({
        name: expect.stringMatching(/\S/),
        what: expect.stringMatching(/\S/),
        unit: expect.stringMatching(/\S/),
        adjustable: expect.any(Boolean),
        source: expect.stringMatching(/^https:\/\//),
        verified: expect.any(Boolean),
      });
      expect(quota.value).toBeGreaterThan(0);
    }
  });

  test('are met at the rate that their value allows', () => {
    expect(metAt('API Gateway requests')).toBeCloseTo(10_000 / 3, 6);
    expect(metAt('Lambda concurrency')).toBeCloseTo(1_000 / 0.2, 6);
    expect(metAt('EventBridge PutEvents')).toBeCloseTo(2_000, 6);
    expect(metAt('EventBridge deliveries')).toBeCloseTo(1_875, 6);
    expect(metAt('SES')).toBe(1);
  });

  test('of tables and queues count the busiest one', () => {
    expect(busiestOf(counted, 'dynamodb.writeUnits')).toEqual({ resource: 'other', amount: 120 });
    expect(metAt('DynamoDB writes of a table')).toBeCloseTo(40_000 / 12, 6);
    expect(metAt('of one key')).toBeCloseTo(250, 6);
    // 3 messages, each waiting 2 + 4 + 8 + 16 s
    expect(metAt('in flight')).toBeCloseTo(120_000 / 90, 6);
  });

  test('of Step Functions are met by looks at a checkout before anything else, and by approvals that take a day', () => {
    const checkouts = measured([
      ['states.executions', 'millrace-checkout-prod', 10],
      ['states.transitions', 'millrace-checkout-prod', 90],
      ['httpApi.requests', 'millrace-checkout-prod-getCheckout', 5],
      ['httpApi.requests', 'millrace-orders-prod-getOrder', 15],
      ['httpApi.requests', 'millrace-checkout-prod-postCheckout', 10],
    ]);
    expect(metAt('DescribeExecution', checkouts)).toBeCloseTo(7.5, 6);
    expect(metAt('GetExecutionHistory', checkouts)).toBeCloseTo(10, 6);
    expect(metAt('open executions', checkouts)).toBeCloseTo(1_000_000 / 86_400, 6);
    expect(metAt('StartExecution', checkouts)).toBeCloseTo(300, 6);
    expect(metAt('SendTaskSuccess', checkouts)).toBeCloseTo(500, 6);
    expect(metAt('state transitions', checkouts)).toBeCloseTo(5_000 / 9, 6);
    expect(metAt('DescribeExecution')).toBe(Number.POSITIVE_INFINITY);
  });

  test('with several customers the orders of one SKU are those of one customer', () => {
    expect(metAt('of one key', { ...counted, clients: 5 })).toBeCloseTo(50, 6);
  });

  test('come in the order in which they are met; what is not used, never', () => {
    const uses = quotaUses(counted, quotas, inventory);
    expect(uses.map(({ metAt: rate }) => rate)).toEqual(uses.map(({ metAt: rate }) => rate).toSorted((a, b) => a - b));
    expect(metAt('DynamoDB reads')).toBe(Number.POSITIVE_INFINITY);
    expect(loadAt({ value: 10_000, perOrder: 3 }, 1_000)).toBeCloseTo(0.3, 10);
  });

  test('the templates limit what runs at once', () => {
    expect(templateLimits(counted, inventory)).toEqual([
      {
        name: 'orders.relay',
        what: 'one batch for each of 4 shards, times parallelizationFactor',
        value: 4,
        unit: 'batches at once',
        perOrder: 0.15,
        metAt: 4 / 0.15,
      },
      {
        name: 'orders.onOrderProgress',
        what: 'maximumConcurrency',
        value: 10,
        unit: 'batches at once',
        perOrder: 0.05,
        metAt: 200,
      },
    ]);
  });

  test('one that nothing counts is an error', () => {
    const quota = { name: 'n', what: 'w', value: 1, unit: 'u', adjustable: true, source: 'https://x', verified: true };
    expect(() => quotaUses(counted, { ...quotas, quotas: { 'moon.phase': quota } }, inventory)).toThrow('moon.phase');
  });

  test('the report names what is met at each rate, the first in front', () => {
    const text = formatReport(makeReport(counted, readPriceTable(), quotas, inventory, services));
    expect(text).toContain('\n10 orders/s: SES mails in the sandbox (1); next DynamoDB writes of one key (250)\n');
    expect(text).toContain('\n100 orders/s: orders.relay (26.7); next orders.onOrderProgress (200)\n');
    expect(text).toMatch(/\n10,000 orders\/s: SES mails in the sandbox \(1\), .*, Lambda concurrency \(5,000\)\n/);
    expect(text).toMatch(/DynamoDB reads of a table +40,000 .* never +0 % +0 % +0 % +0 %\n/);
    expect(text).toContain(
      'Not verified: Amazon Data Firehose, ingestion, each record by 5 KB; Amazon Data Firehose, dynamic partitioning, data; ' +
        'Amazon Data Firehose, dynamic partitioning, objects; Data transfer, to the internet; Amazon SNS, SMS: no price, not in the sums',
    );
  });
});

describe('the mix', () => {
  const hundred = (from: number) => Array.from({ length: 100 }, (_, index) => plannedOrder(from + index));
  const count = (orders: ReturnType<typeof hundred>, outcome: string) =>
    orders.filter((order) => order.outcome === outcome).length;

  test.each([0, 37, 1_000])('is the same in any hundred orders, such as those from %i on', (from) => {
    const orders = hundred(from);
    expect(
      ['paid', 'declined', 'out of stock', 'paid at the third attempt'].map((outcome) => count(orders, outcome)),
    ).toEqual([93, 4, 2, 1]);
    expect(orders.reduce((sum, { lines }) => sum + lines, 0)).toBe(150);
    expect(orders.filter(({ phone }) => phone)).toHaveLength(25);
  });
});

describe('names', () => {
  test.each([
    ['millrace-orders-prod-relay', 'orders'],
    ['millrace-orders-prod', 'orders'],
    ['millrace-orders-prod/ORDER#1', 'orders'],
    ['millrace-orders-production', 'event-bus'],
    ['millrace-prod', 'event-bus'],
  ])('%s belongs to %s', (resource, service) => {
    expect(millraceServiceOf(resource, services, 'prod')).toBe(service);
  });

  test('a function is named as its consumer', () => {
    expect(shortNameOf('millrace-orders-prod-onOrderProgress', 'prod')).toBe('orders.onOrderProgress');
  });
});

test('an item is stored with its names, its values and 100 bytes', () => {
  expect(storedBytesOf({})).toBe(100);
  expect(
    storedBytesOf({
      text: { S: 'grün' },
      count: { N: '-12.30' },
      flag: { BOOL: true },
      list: { L: [{ S: 'a' }, { NULL: true }] },
      map: { M: { key: { SS: ['ab', 'c'] } } },
    }),
  ).toBe(100 + (4 + 5) + (5 + 4) + (4 + 1) + (4 + 3 + 2 + 2) + (3 + 3 + 1 + 3 + 3));
});

test('the templates tell what is there', () => {
  const packaged = {
    name: 'millrace-orders',
    template: {
      Resources: {
        Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { AlarmName: 'depth', MetricName: 'm' } },
        Expression: {
          Type: 'AWS::CloudWatch::Alarm',
          Properties: {
            AlarmName: 'stopped',
            Metrics: [{ Expression: 'a + b' }, { MetricStat: {} }, { MetricStat: {} }],
          },
        },
        Function: {
          Type: 'AWS::Lambda::Function',
          Properties: { FunctionName: 'f', Environment: { Variables: { MILLRACE_MAX_RETRY_DELAY: '60' } } },
        },
        Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'q', RedrivePolicy: { maxReceiveCount: 5 } } },
        Table: {
          Type: 'AWS::DynamoDB::Table',
          Properties: {
            TableName: 't',
            TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          },
        },
        FromQueue: {
          Type: 'AWS::Lambda::EventSourceMapping',
          Properties: {
            FunctionName: { Ref: 'Function' },
            EventSourceArn: { 'Fn::GetAtt': ['Queue', 'Arn'] },
            ScalingConfig: { MaximumConcurrency: 7 },
          },
        },
        Views: { Type: 'AWS::Kinesis::Stream', Properties: { Name: 'v', ShardCount: 3 } },
        Lake: {
          Type: 'AWS::KinesisFirehose::DeliveryStream',
          Properties: {
            DeliveryStreamName: 'lake',
            ExtendedS3DestinationConfiguration: {
              BufferingHints: { SizeInMBs: 64, IntervalInSeconds: '900' },
              DynamicPartitioningConfiguration: { Enabled: true },
            },
          },
        },
        Copies: {
          Type: 'AWS::KinesisFirehose::DeliveryStream',
          Properties: { DeliveryStreamName: 'copies', ExtendedS3DestinationConfiguration: {} },
        },
        FromViews: {
          Type: 'AWS::Lambda::EventSourceMapping',
          Properties: {
            FunctionName: { Ref: 'Function' },
            EventSourceArn: { 'Fn::GetAtt': ['Views', 'Arn'] },
          },
        },
        FromViewsOfOthers: {
          Type: 'AWS::Lambda::EventSourceMapping',
          Properties: {
            FunctionName: { Ref: 'Function' },
            EventSourceArn: { 'Fn::ImportValue': 'millrace-dev:ViewStreamArn' },
          },
        },
        FromStream: {
          Type: 'AWS::Lambda::EventSourceMapping',
          Properties: {
            FunctionName: { 'Fn::GetAtt': ['Function', 'Arn'] },
            EventSourceArn: { 'Fn::GetAtt': ['Table', 'StreamArn'] },
            ParallelizationFactor: 2,
          },
        },
        Process: {
          Type: 'AWS::StepFunctions::StateMachine',
          Properties: {
            Definition: {
              States: {
                Pay: { Resource: 'arn:aws:states:::lambda:invoke', TimeoutSeconds: 30 },
                Ask: { Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken', TimeoutSeconds: 3_600 },
              },
            },
          },
        },
        QueuePipe: {
          Type: 'AWS::Pipes::Pipe',
          Properties: { Name: 'from-queue', Source: { 'Fn::GetAtt': ['Queue', 'Arn'] } },
        },
        StreamPipe: {
          Type: 'AWS::Pipes::Pipe',
          Properties: { Name: 'from-stream', Source: { 'Fn::GetAtt': ['Table', 'StreamArn'] } },
        },
      },
    },
  } as unknown as Parameters<typeof inventoryOf>[0][number];

  expect(inventoryOf([packaged])).toEqual({
    alarms: [
      { service: 'orders', name: 'depth', metrics: 1 },
      { service: 'orders', name: 'stopped', metrics: 2 },
    ],
    consumers: [
      {
        service: 'orders',
        functionName: 'f',
        queueName: 'q',
        maximumConcurrency: 7,
        maxReceiveCount: 5,
        maxRetryDelay: 60,
      },
    ],
    relays: [{ service: 'orders', functionName: 'f', batchesPerShard: 2 }],
    pipes: [{ service: 'orders', name: 'from-queue' }],
    streams: [{ service: 'orders', shards: 3 }],
    deliveryStreams: [
      { service: 'orders', name: 'lake', bufferSeconds: 900, isPartitioned: true },
      { service: 'orders', name: 'copies', bufferSeconds: 300, isPartitioned: false },
    ],
    approvalSeconds: 3_600,
    tables: ['t'],
    tablesWithRecovery: ['t'],
    timeToLive: new Map([['t', 'ttl']]),
  });
});
