import { ListDurableExecutionsByFunctionCommand, StopDurableExecutionCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { chooseCheckoutProcess } from '../../scripts/cost/checkout-process.ts';
import { Aws } from './aws.ts';
import { cancelledCheckouts, endCancelled, large, states } from './checkouts.ts';
import { Operator } from './operator.ts';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let shop: Shop;
let aws: Aws;
let chooseAgain: () => Promise<void>;

beforeAll(async () => {
  system = await startSystem();
  shop = new Shop(system);
  aws = new Aws(system);
  chooseAgain = await chooseCheckoutProcess(aws.lambda, 'durable-function');
});
afterAll(async () => {
  await chooseAgain?.();
  await system?.stop();
});

const approve = (checkoutId: string) =>
  eventually(async () => {
    const { status } = await shop.request('POST', `/checkouts/${checkoutId}/approval`, { approved: true });
    expect(status).toBe(202);
  });

/** The executions of a checkout, by their names and states. */
async function executionsOf(checkoutId: string) {
  const query = { FunctionName: 'millrace-checkout-dev-durableCheckout' };
  const named = [checkoutId, `${checkoutId}-1`].map(async (DurableExecutionName) => {
    const command = new ListDurableExecutionsByFunctionCommand({ ...query, DurableExecutionName });
    const { DurableExecutions = [] } = await aws.lambda.send(command);
    return DurableExecutions.filter((each) => each.DurableExecutionName === DurableExecutionName);
  });
  return (await Promise.all(named)).flat();
}

describe('a checkout of a stage that has chosen the durable function', () => {
  test('goes through the steps of the state machine, without its choices, and tells the customer once', async () => {
    const sku = await shop.stocked(10);
    const order = orderOf(sku, 3);
    const checkoutId = await shop.checkOut(order);

    const checkout = await shop.checkoutThatIs(checkoutId, 'CONFIRMED');
    expect(states(checkout)).toEqual([
      ...['PlaceOrder', 'ReserveInventory', 'LockOrder'],
      ...['ProcessPayment', 'CreateShipment', 'ConfirmOrder', 'SendConfirmation'],
    ]);
    expect(await executionsOf(checkoutId)).toMatchObject([{ Status: 'SUCCEEDED' }]);
    expect(await shop.order(checkoutId)).toMatchObject({ status: 'CONFIRMED' });
    await eventually(async () => {
      expect(await shop.stock(sku)).toEqual({ available: 7, reserved: 0, shipped: 3 });
    });
    await eventually(async () => expect(await shop.messagesTo(order.customer.email)).toHaveLength(1));
  });

  test.each(cancelledCheckouts)('of an order that is $kind ends as such, with the stock back', async (cancelled) => {
    const ends = [...cancelled.undone, cancelled.notification];

    expect((await endCancelled(shop, cancelled)).slice(-ends.length)).toEqual(ends);
  });

  test('that is stopped while it waits for the staff goes on after npm run redrive, as another execution', async () => {
    const sku = await shop.stocked(2);
    const order = large(sku);
    const checkoutId = await shop.checkOut(order);
    await shop.checkoutThatIs(checkoutId, 'AWAITING_APPROVAL');
    const [{ DurableExecutionArn = '' } = {}] = await executionsOf(checkoutId);
    await aws.lambda.send(new StopDurableExecutionCommand({ DurableExecutionArn }));
    await shop.checkoutThatIs(checkoutId, 'STOPPED');
    const operator = new Operator(system);
    const queue = 'checkout-dev-executions-dlq';
    await eventually(async () => expect(await operator.inspect(queue)).not.toEqual([]));

    const inspected = await operator.redrive('inspect', queue);
    expect(inspected.stdout).toContain('it stopped at RequestApproval');
    const { stdout, exitCode } = await operator.redrive('redrive', queue);

    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('resumed') });
    await approve(checkoutId);
    await shop.checkoutThatIs(checkoutId, 'CONFIRMED');
    const executions = await executionsOf(checkoutId);
    expect(executions.map(({ Status }) => Status)).toEqual(['STOPPED', 'SUCCEEDED']);
    await eventually(async () => {
      expect(await shop.stock(sku)).toEqual({ available: 0, reserved: 0, shipped: 2 });
    });
    await eventually(async () => expect(await shop.messagesTo(order.customer.email)).toHaveLength(1));
  });

  test('keeps its process when the stage chooses another one meanwhile', async () => {
    const checkoutId = await shop.checkOut(large(await shop.stocked(2)));
    await shop.checkoutThatIs(checkoutId, 'AWAITING_APPROVAL');
    await chooseAgain();
    try {
      await approve(checkoutId);
      expect(states(await shop.checkoutThatIs(checkoutId, 'CONFIRMED'))).not.toContain('IsApprovalRequired');
      const other = await shop.checkOut(orderOf(await shop.stocked(1)));
      expect(states(await shop.checkoutThatIs(other, 'CONFIRMED'))).toContain('IsApprovalRequired');
    } finally {
      chooseAgain = await chooseCheckoutProcess(aws.lambda, 'durable-function');
    }
  });
});
