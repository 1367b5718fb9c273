import { describe, expect, test } from '@jest/globals';
import { runScript } from '../../test/run-script.ts';

const cost = (...args: string[]) => runScript('cost', ...args);

interface Report {
  counted: Record<string, number>;
  aMillionOrders: { product: string; what: string; service: string; dollars?: number }[];
  fixed: { product: string; dollars: number }[];
  quotas: { name: string; metAt: number | null }[];
  limits: { name: string }[];
  usage: { meter: string; resource: string; operation: string; amount: number }[];
}

describe('npm run cost', () => {
  test('--help says what can be set', async () => {
    const { exitCode, stdout } = await cost('--help');
    expect(exitCode).toBe(0);
    for (const flag of [
      '--orders',
      '--clients',
      '--lambda-ms',
      '--process',
      '--compare',
      '--write',
      '--stage',
      '--json',
    ])
      expect(stdout).toContain(flag);
  });

  test.each([
    [['--ordrs', '1'], "Unknown option '--ordrs'"],
    [['all'], 'all'],
    [['--orders', '0'], '--orders must be a whole number of at least 1, not "0"'],
    [['--clients', 'many'], '--clients must be a whole number of at least 1, not "many"'],
    [['--lambda-ms', '1.5'], '--lambda-ms must be a whole number of at least 1, not "1.5"'],
    [
      ['--process', 'returns'],
      '--process must be orders, checkouts, durable-checkouts, partner-orders, reservations, views, not returns',
    ],
    [['--stage', 'Prod'], '--stage must be lower-case letters'],
    [['--write'], '--write needs --compare'],
    [['--compare', '--process', 'orders'], '--compare counts three processes: leave --process out'],
  ])('%j is refused with exit code 2', async (args, message) => {
    const { exitCode, stderr } = await cost(...args);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });

  test('counts what a paid order uses, call by call', async () => {
    // The first three orders of the mix are paid, and the first customer has a phone.
    const { exitCode, stdout, stderr } = await cost('--orders', '3', '--json', '--stage', 'dev');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const report = JSON.parse(stdout) as Report;
    const sum = (meter: string, resource?: string, operation?: string) =>
      report.usage
        .filter((entry) => entry.meter === meter)
        .filter((entry) => resource === undefined || entry.resource === resource)
        .filter((entry) => operation === undefined || entry.operation === operation)
        .reduce((total, { amount }) => total + amount, 0);

    // OrderPlaced, StockReserved, PaymentProcessed, ShipmentCreated, OrderConfirmed: each is put once, and its variant once.
    expect(sum('events.published')).toBe(30);
    expect(sum('events.published', 'millrace-orders-dev-relay')).toBe(12);
    expect(sum('events.putCalls')).toBeLessThanOrEqual(30);
    // Each delivery is one message, received and deleted at most once for itself.
    // … but for those of the lake's rule, which go to Firehose.
    const messages = sum('events.delivered') - sum('events.delivered', 'millrace-analytics-dev-lake');
    expect(sum('sqs.requests', undefined, 'SendMessage')).toBe(messages);
    expect(sum('sqs.requests', undefined, 'ReceiveMessage')).toBeLessThanOrEqual(messages);
    expect(sum('sqs.requests', undefined, 'DeleteMessageBatch')).toBeLessThanOrEqual(messages);
    expect(sum('events.archivedBytes')).toBeGreaterThan(0);
    // Each variant is a record of less than 5 KB, and each of the five types is an object of its own.
    expect(sum('firehose.requests', 'millrace-analytics-dev-lake')).toBe(15);
    expect(sum('firehose.ingestedBytes')).toBe(15 * 5 * 1024);
    expect(sum('firehose.deliveredBytes')).toBeGreaterThan(15 * 500);
    expect(sum('firehose.deliveredBytes')).toBeLessThan(15 * 2000);
    const prefixes = report.usage
      .filter(({ meter }) => meter === 'firehose.deliveredBytes')
      .map(({ resource }) => resource);
    expect(new Set(prefixes.map((prefix) => /event_type=([^/]+)/.exec(prefix)?.[1]))).toEqual(
      new Set([
        ...['OrderPlaced.v1', 'StockReserved.v1', 'PaymentProcessed.v1', 'ShipmentCreated.v1', 'OrderConfirmed.v1'],
      ]),
    );
    // A POST and two GETs.
    expect(sum('httpApi.requests', 'millrace-orders-dev-postOrder')).toBe(3);
    expect(sum('httpApi.requests', 'millrace-orders-dev-getOrder')).toBe(6);
    expect(sum('httpApi.requests')).toBe(9);
    expect(sum('lambda.invocations', 'millrace-orders-dev-postOrder')).toBe(3);
    expect(sum('ses.recipients', 'millrace-notifications-dev-onOrderOutcome')).toBe(3);
    expect(sum('sns.textMessages')).toBe(1);
    expect(sum('dynamodb.writeUnits', 'millrace-inventory-dev')).toBeGreaterThan(3);
    expect(sum('logs.bytes')).toBeGreaterThan(0);

    expect(report.counted['events.published']).toBe(10);
    expect(new Set(report.aMillionOrders.map(({ service }) => service))).toEqual(
      new Set([
        'event-bus',
        'orders',
        'inventory',
        'payments',
        'fulfillment',
        'notifications',
        'event-log',
        'live-figures',
        'analytics',
      ]),
    );
    expect(report.fixed.map(({ product }) => product)).toEqual(
      expect.arrayContaining(['Amazon CloudWatch', 'Amazon SQS']),
    );
    expect(report.quotas[0]?.metAt).toBeGreaterThan(0);
    expect(report.limits.map(({ name }) => name)).toContain('inventory.onOrderPlaced');
  });

  test('counts what a paid order takes as a durable execution', async () => {
    const { exitCode, stdout, stderr } = await cost(
      ...['--process', 'durable-checkouts', '--orders', '3', '--json', '--stage', 'dev'],
    );
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const { counted, aMillionOrders } = JSON.parse(stdout) as Report;

    // Its start and seven steps.
    expect(counted['lambda.durableOperations']).toBe(8);
    expect(counted['states.transitions']).toBeUndefined();
    expect(aMillionOrders).toContainEqual(
      expect.objectContaining({ service: 'checkout', what: 'durable operations', dollars: 64 }),
    );
  });

  test('counts what a paid order of a partner uses: queue, pipe, enrichment, checkout', async () => {
    const { exitCode, stdout, stderr } = await cost(
      ...['--process', 'partner-orders', '--orders', '3', '--json', '--stage', 'dev'],
    );
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const { usage, aMillionOrders } = JSON.parse(stdout) as Report;
    const sum = (meter: string, resource: string) =>
      usage
        .filter((entry) => entry.meter === meter && entry.resource === resource)
        .reduce((total, { amount }) => total + amount, 0);

    // One at a time, so each order is a batch of its own: sent, received and deleted; enriched; handed to the checkout.
    expect(sum('pipes.requests', 'millrace-partner-orders-dev-acme')).toBe(3);
    expect(sum('sqs.requests', 'millrace-partner-orders-dev-acme')).toBe(9);
    expect(sum('lambda.invocations', 'millrace-partner-orders-dev-admitAcme')).toBe(3);
    expect(sum('lambda.invocations', 'millrace-checkout-dev-requestCheckouts')).toBe(3);
    expect(sum('dynamodb.writeUnits', 'millrace-partner-orders-dev')).toBe(3);
    expect(sum('states.executions', 'millrace-checkout-dev')).toBe(3);
    const ofPartners = aMillionOrders.filter(({ service }) => service === 'partner-orders');
    expect(ofPartners).toContainEqual(expect.objectContaining({ what: 'events through pipes', dollars: 0.4 }));
  });

  test('counts what reservations use, without orders', async () => {
    // Of the first twenty of the mix sixteen are attended, two cancelled, one refused and one not attended.
    const { exitCode, stdout, stderr } = await cost(
      ...['--process', 'reservations', '--orders', '20', '--json', '--stage', 'dev'],
    );
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const { usage, aMillionOrders, ...report } = JSON.parse(stdout) as Report & { what: string; mix: string };
    const sum = (meter: string, resource: string) =>
      usage
        .filter((entry) => entry.meter === meter && entry.resource === resource)
        .reduce((total, { amount }) => total + amount, 0);

    expect(report).toMatchObject({ what: 'reservations', mix: expect.stringContaining('80 attended') });
    const attended = sum('lambda.invocations', 'millrace-reservations-dev-postCheckOut');
    expect(sum('lambda.invocations', 'millrace-reservations-dev-postReservation')).toBe(20);
    expect(sum('lambda.invocations', 'millrace-reservations-dev-postCheckIn')).toBe(attended);
    expect(attended).toBe(16);
    expect(sum('lambda.invocations', 'millrace-reservations-dev-deleteReservation')).toBe(2);
    expect(sum('lambda.invocations', 'millrace-reservations-dev-onTimeLimitReached')).toBeGreaterThanOrEqual(1);
    expect(sum('lambda.invocations', 'millrace-orders-dev-postOrder')).toBe(0);
    expect(new Set(aMillionOrders.map(({ service }) => service))).toEqual(
      new Set(['event-bus', 'reservations', 'slot-display', 'event-log', 'analytics']),
    );
  });

  test('counts what views use: a request, a record each, figures and the lake', async () => {
    const { exitCode, stdout, stderr } = await cost('--process', 'views', '--orders', '30', '--json', '--stage', 'dev');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const { counted, aMillionOrders, ...report } = JSON.parse(stdout) as Report & { what: string };

    expect(report.what).toBe('views');
    // Three views in a request.
    expect(counted['httpApi.requests']).toBeCloseTo(1 / 3, 10);
    expect(counted['kinesis.payloadUnits']).toBe(1);
    expect(counted['firehose.ingestedBytes']).toBe(5 * 1024);
    expect(counted['firehose.deliveredBytes']).toBeLessThan(400);
    expect(counted['dynamodb.writeUnits']).toBeGreaterThan(0);
    expect(counted['events.published']).toBeUndefined();
    expect(new Set(aMillionOrders.map(({ service }) => service))).toEqual(
      new Set(['interactions', 'live-figures', 'analytics']),
    );
  });
});
