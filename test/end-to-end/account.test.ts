import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { startScript } from '../run-script.ts';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let shop: Shop;

beforeAll(async () => {
  system = await startSystem();
  shop = new Shop(system);
});
afterAll(() => system?.stop());

/** Calls an operation of a service with the JSON protocol. */
async function ask(service: string, target: string, input: object): Promise<Record<string, unknown[]>> {
  const response = await fetch(system.awsUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': target,
      authorization: `AWS4-HMAC-SHA256 Credential=operator/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=x`,
    },
    body: JSON.stringify(input),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown[]>;
}

test('npm run deploy -- --dry-run finds every stack', async () => {
  const { exitCode, stdout, stderr } = await startScript('deploy', ['--dry-run', '--endpoint', system.awsUrl]).ended;
  expect([exitCode, stderr]).toEqual([0, '']);
  // Not the sizes of bundles, which a build prints with the number first.
  const services = stdout.split('\n').filter((line) => /^ {2}[a-z]/.test(line));
  expect(services.length).toBeGreaterThanOrEqual(8);
  for (const line of services) expect(line).toMatch(/^ {2}\S+ +update$/);
}, 60_000);

test('every alarm is evaluated', async () => {
  const alarms: { AlarmName: string; StateReason: string }[] = [];
  let NextToken: unknown;
  do {
    const target = 'GraniteServiceVersion20100801.DescribeAlarms';
    const page = await ask('monitoring', target, { MaxRecords: 100, ...(NextToken !== undefined && { NextToken }) });
    alarms.push(...((page.MetricAlarms ?? []) as typeof alarms));
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  expect(alarms.length).toBeGreaterThan(50);
  expect(alarms.filter(({ StateReason }) => StateReason.startsWith('Not evaluated'))).toEqual([]);
});

test('an order is in the logs and in the metrics of the functions that handled it', async () => {
  const from = Date.now();
  const orderId = await shop.place(orderOf(await shop.stocked(1), 1));
  await eventually(async () => {
    const { Datapoints = [] } = await ask('monitoring', 'GraniteServiceVersion20100801.GetMetricStatistics', {
      ...{ Namespace: 'Millrace', MetricName: 'EventEmitted', Statistics: ['Sum'], Period: 60 },
      Dimensions: [{ Name: 'service', Value: 'millrace-orders' }],
      ...{ StartTime: from / 1000 - 60, EndTime: Date.now() / 1000 + 60 },
    });
    expect(Datapoints.length).toBeGreaterThan(0);
    const { events = [] } = await ask('logs', 'Logs_20140328.FilterLogEvents', {
      logGroupName: '/aws/lambda/millrace-orders-dev-relay',
      startTime: from,
      filterPattern: '{ $.EventEmitted > 0 }',
    });
    expect(events.length).toBeGreaterThan(0);
  });
  expect(orderId).toEqual(expect.any(String));
});
