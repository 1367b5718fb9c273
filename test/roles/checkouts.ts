import { equal } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { exampleOrder } from '../../services/orders/events/index.ts';
import { orderOf } from '../end-to-end/shop.ts';
import type { Step } from './exercise.ts';
import type { RunningShop } from './running-shop.ts';

/** A customer with a telephone, so that each message goes out by both channels. */
function withPhone<Order extends { customer: object }>(order: Order): Order {
  return { ...order, customer: { ...order.customer, phone: `+49151${String(Math.random()).slice(2, 10)}` } };
}

/** An order goes through the state machine to its end. */
export const checksOut: Step = async ({ shop, until }) => {
  const sku = await shop.stocked(2);
  const checkoutId = await shop.checkOut(withPhone(orderOf(sku)));
  await until(async () => {
    const { body } = await shop.request('GET', `/checkouts/${checkoutId}`);
    equal(body.status, 'CONFIRMED', `the checkout is ${body.status} in ${body.state}`);
  });
};

/** A large order is refused by the staff, and another one by the bank. */
export const undoesACheckout: Step = async ({ shop, until }) => {
  const sku = await shop.stocked(5);
  const declined = await shop.checkOut(orderOf(sku, 1, { paymentToken: 'tok_declined' }));
  const large = orderOf(sku, 1, { lines: [{ sku, quantity: 1, unitPrice: 200_000 }] });
  const refused = await shop.checkOut(withPhone(large));
  await until(async () => {
    const mails = await shop.messagesTo('approvals@millrace.example');
    equal(
      mails.some(({ text }) => text?.includes(refused)),
      true,
      `the approvers were not told of ${refused}`,
    );
  });
  await until(async () => {
    const { status } = await shop.request('POST', `/checkouts/${refused}/approval`, { approved: false });
    equal(status, 202, `POST /checkouts/${refused}/approval answered ${status}`);
  });
  const approved = await shop.checkOut(large);
  await until(async () => {
    const { status } = await shop.request('POST', `/checkouts/${approved}/approval`, { approved: true });
    equal(status, 202, `POST /checkouts/${approved}/approval answered ${status}`);
  });
  for (const [checkoutId, end] of [
    [declined, 'CANCELLED'],
    [refused, 'CANCELLED'],
    [approved, 'CONFIRMED'],
  ] as const) {
    await until(async () => {
      const { body } = await shop.request('GET', `/checkouts/${checkoutId}`);
      equal(body.status, end, `the checkout is ${body.status} in ${body.state}`);
    });
  }
};

/** What is undone only when a step has a bug: for an order that nobody knows, so that it never will be done. */
export const undoesStepsOfACheckout: Step = async (running) => {
  const orderId = randomUUID();
  for (const [service, step] of [
    ['fulfillment', 'recallShipmentForCheckout'],
    ['payments', 'refundPaymentForCheckout'],
  ] as const) {
    await running.until(async () => {
      const error = await invoke(running, `millrace-${service}-dev-${step}`, {
        ...{ idempotencyKey: `${orderId}:${step}`, cause: { correlationId: randomUUID() } },
        order: { ...exampleOrder, orderId, process: 'checkout' },
      });
      equal(error, undefined, `${step}: ${error}`);
    });
  }
};

/** Each step refuses an input that does not fit its contract. */
export const refusesBadSteps: Step = async (running) => {
  const steps = running.runtime.functionNames.filter((name) => /ForCheckout$|-requestApproval$/.test(name));
  for (const name of steps) {
    await running.until(async () => {
      const error = await invoke(running, name, {});
      equal(error, 'InvalidStepInput', `${name} answered ${error}`);
    });
  }
};

/** Calls a function as the state machine does. @returns the type of its error */
async function invoke({ aws }: Pick<RunningShop, 'aws'>, name: string, payload: object): Promise<string | undefined> {
  const command = new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(payload) });
  const { FunctionError, Payload } = await aws.lambda.send(command);
  return FunctionError === undefined ? undefined : JSON.parse(Payload?.transformToString() ?? '{}').errorType;
}
