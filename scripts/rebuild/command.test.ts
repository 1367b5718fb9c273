import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { DynamoDbEventStore } from '@millrace/event-store';
import { Pointers, ProjectionReader, ProjectionTable } from '@millrace/projections';
import { eventually, sampleEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { exampleOrder, OrderConfirmed, OrderPlaced } from '../../services/orders/events/index.ts';
import { orderSummary } from '../../services/orders/projections/index.ts';
import { runScript, startScript } from '../../test/run-script.ts';

const rebuild = (...args: string[]) => runScript('rebuild', ...args);

describe('npm run rebuild', () => {
  test('--help says what can be set', async () => {
    const { exitCode, stdout } = await rebuild('--help');
    expect(exitCode).toBe(0);
    for (const flag of ['--restart', '--segments', '--stage', '--endpoint']) expect(stdout).toContain(flag);
  });

  test.each([
    [[], 'Name one projection: daily-sales, order-summary, orders-by-customer, slot-locations, slots-by-day'],
    [
      ['order-sumary'],
      'Name one projection: daily-sales, order-summary, orders-by-customer, slot-locations, slots-by-day',
    ],
    [['order-summary', 'daily-sales'], 'Name one projection'],
    [['order-summary', '--segments', '33'], '--segments must be at most 32, not 33'],
    [['order-summary', '--segment', '2'], "Unknown option '--segment'"],
  ])('%j is refused with exit code 2', async (args, message) => {
    const { exitCode, stderr } = await rebuild(...args);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });

  test('an endpoint where nobody answers is one line', async () => {
    const { exitCode, stderr } = await rebuild('order-summary', '--endpoint', 'http://127.0.0.1:1');
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      'Asking stage dev at http://127.0.0.1:1\nNothing answers at http://127.0.0.1:1: is npm start running?\n',
    );
  });
});

describe('npm run rebuild of orders that were placed before there was a read model', () => {
  const orderId = exampleOrder.orderId;
  let dynamoDb: TestDynamoDb;
  let table: ProjectionTable;

  beforeAll(async () => {
    dynamoDb = await startTestDynamoDb();
    await dynamoDb.createTable('millrace-orders-test');
    await dynamoDb.createTable('millrace-orders-test-projections');
    const client = documentClient();
    table = new ProjectionTable(client, 'millrace-orders-test-projections');
    const context = (sequence: number) => ({ subject: orderId, sequence });
    const emitted = [sampleEvent(OrderPlaced, {}, context(1)), sampleEvent(OrderConfirmed, {}, context(2))];
    const events = emitted.map((emit) => ({
      id: randomUUID(),
      event: { type: 'Told' },
      time: new Date(),
      correlationId: 'correlation-1',
      emit,
    }));
    await new DynamoDbEventStore(client, 'millrace-orders-test').append(`ORDER#${orderId}`, 0, events);
  });
  afterAll(() => dynamoDb.stop());

  const options = () => ['--stage', 'test', '--endpoint', process.env.AWS_ENDPOINT_URL_DYNAMODB ?? ''];

  test('puts the new version in the place of the old one, and says so', async () => {
    const { exitCode, stdout } = await rebuild('order-summary', ...options());

    expect(stdout).toMatch(/^2 events in [\d.]+ s, [\d,]+\/s\nVersion 2 of order-summary is read; 0 items of others/);
    expect(exitCode).toBe(0);
    const {
      rows: [summary],
    } = await new ProjectionReader(table).query(orderSummary, orderId);
    expect(summary?.row).toMatchObject({ orderId, status: 'CONFIRMED' });
  });

  test('goes on with an unfinished one, and says so', async () => {
    const building = { version: 2, segments: 1, checkpoints: {}, scanned: 0 };
    await new Pointers(table).replace('orders-by-customer', { live: 1, building }, undefined);

    const { exitCode, stdout } = await rebuild('orders-by-customer', ...options());

    expect(stdout).toMatch(
      /^Went on with an unfinished rebuild\n2 events in .*\nVersion 2 of orders-by-customer is read/,
    );
    expect(exitCode).toBe(0);
  });

  test('is refused with exit code 1 while another one lives', async () => {
    const pointers = new Pointers(table);
    const rebuilder = { id: 'another', beat: 0 };
    await pointers.replace('daily-sales', { live: 1, rebuilder }, undefined);

    const { child, ended } = startScript('rebuild', ['daily-sales', ...options()]);
    let stderr = '';
    child.stderr?.on('data', (text) => {
      stderr += text;
    });
    await eventually(() => expect(stderr).toContain('looking for a sign of life'));
    await pointers.replace('daily-sales', { live: 1, rebuilder: { ...rebuilder, beat: 1 } }, rebuilder);

    expect(await ended).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('A rebuild of daily-sales is under way: wait for its end'),
    });
  });
});
