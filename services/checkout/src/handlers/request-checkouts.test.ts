import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { exampleOrder } from '@millrace/orders/events';
import { logger } from '@millrace/telemetry';
import { lambdaContext } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { storedEvents } from '@millrace/testing/stored-events';
import type { CheckoutRequest } from '../../requests/index.ts';

let dynamoDb: TestDynamoDb;
let handler: typeof import('./request-checkouts.ts').handler;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('checkout');
  Object.assign(process.env, { MILLRACE_TABLE: 'checkout', MILLRACE_CHECKOUT_PROCESS: 'durable-function' });
  handler = (await import('./request-checkouts.ts')).handler;
});
afterAll(() => dynamoDb.stop());

const request = (orderId: string = randomUUID()): CheckoutRequest => ({
  messageId: randomUUID(),
  order: { ...exampleOrder, orderId, process: 'checkout' },
});
const run = (event: unknown) => handler(event, lambdaContext());

/** What the relay would emit of a checkout. */
const emitted = (orderId: string) => storedEvents('checkout', orderId);

describe('requestCheckouts', () => {
  test('asks for the checkout of each order of a batch', async () => {
    const requests = [request(), request()];

    expect(await run(requests)).toEqual({ batchItemFailures: [] });

    for (const { order } of requests) {
      expect(await emitted(order.orderId)).toMatchObject([
        { detailType: 'StartCheckout.v1', metadata: { correlationId: order.orderId }, data: { order } },
      ]);
    }
  });

  test('asks once for an order that comes again: in one batch, at once and later', async () => {
    const { order } = request();
    const again = () => ({ ...request(), order });

    expect(await run([again(), again()])).toEqual({ batchItemFailures: [] });
    expect(await Promise.all([run([again()]), run([again()])])).toEqual(Array(2).fill({ batchItemFailures: [] }));

    expect(await emitted(order.orderId)).toHaveLength(1);
  });

  test('names what it could not take, and takes the others', async () => {
    const [bad, good] = [{ messageId: 'bad', order: { orderId: 'x' } }, request()];

    expect(await run([bad, good])).toEqual({ batchItemFailures: [{ itemIdentifier: 'bad' }] });

    expect(await emitted(good.order.orderId)).toHaveLength(1);
  });

  test('does not log what a caller puts where an id belongs', async () => {
    const logged = [jest.spyOn(logger, 'info').mockReturnValue(), jest.spyOn(logger, 'error').mockReturnValue()];
    const good = { ...request('Ada Example'), messageId: 'ada@example.com' };

    await run([good, { messageId: 'ada@example.com' }]);

    const lines = JSON.stringify(logged.flatMap(({ mock }) => mock.calls));
    expect(lines).toContain('Checkout requested');
    expect(lines).toContain('Checkout could not be requested');
    expect(lines).not.toMatch(/ada/i);
    jest.restoreAllMocks();
  });

  test('fails as a whole when a request does not name its message', async () => {
    await expect(run([{ order: request().order }])).rejects.toThrow('messageId');
    await expect(run({ Records: [] })).rejects.toThrow();
  });
});
