import { describe, expect, test } from '@jest/globals';
import { exampleOrder } from '@millrace/orders/events';
import {
  cause,
  definedStates,
  type Failures,
  type Form,
  forms,
  functionNames,
  startSaga,
} from '../fixtures/saga-under-test.ts';

const toPayment = ['PlaceOrder', 'ReserveInventory', 'LockOrder', 'ProcessPayment'];
const broken = ['CancelOrder', 'NotifyOrderCancelled'];

const tasks = Object.entries(definedStates).filter(([, { Type }]) => Type === 'Task');

/** How it ends when steps fail. */
const failing: [string, Failures, { reason: string; path: string[] }][] = [
  [
    'stock is short',
    { ReserveInventory: ['InsufficientInventory'] },
    { reason: 'OUT_OF_STOCK', path: ['PlaceOrder', 'ReserveInventory', 'CancelOrder', 'NotifyOutOfStock'] },
  ],
  [
    'it is unknown whether stock was reserved',
    { ReserveInventory: ['TypeError'] },
    { reason: 'TECHNICAL_FAILURE', path: ['PlaceOrder', 'ReserveInventory', 'ReleaseInventory', ...broken] },
  ],
  [
    'the customer has cancelled it',
    { LockOrder: ['CancellationRequested'] },
    {
      reason: 'CUSTOMER_REQUEST',
      path: [...toPayment.slice(0, -1), 'ReleaseInventory', ...broken],
    },
  ],
  [
    'the order cannot be locked',
    { LockOrder: ['TypeError'] },
    { reason: 'TECHNICAL_FAILURE', path: [...toPayment.slice(0, -1), 'ReleaseInventory', ...broken] },
  ],
  [
    'the payment is refused',
    { ProcessPayment: ['PaymentFailed'] },
    { reason: 'PAYMENT_FAILED', path: [...toPayment, 'ReleaseInventory', 'CancelOrder', 'NotifyPaymentFailed'] },
  ],
  [
    'it is unknown whether the order was charged',
    { ProcessPayment: ['StepUnavailable'] },
    { reason: 'TECHNICAL_FAILURE', path: [...toPayment, 'RefundPayment', 'ReleaseInventory', ...broken] },
  ],
  [
    'a shipment has no tracking number',
    { CreateShipment: ['answers nothing'] },
    {
      reason: 'TECHNICAL_FAILURE',
      path: [...toPayment, 'CreateShipment', 'RecallShipment', 'RefundPayment', 'ReleaseInventory', ...broken],
    },
  ],
  [
    'it is unknown whether there is a shipment',
    { CreateShipment: ['TypeError'] },
    {
      reason: 'TECHNICAL_FAILURE',
      path: [...toPayment, 'CreateShipment', 'RecallShipment', 'RefundPayment', 'ReleaseInventory', ...broken],
    },
  ],
];

/**
 * https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
test.each(forms)(
  'a checkout with all retries of all its steps stays far below the 25,000 events, or 3,000 operations, of an execution, by %s',
  async (form) => {
    const failing = (times: number) => [...Array<string>(times).fill('StepUnavailable'), 'then succeeds'];
    const last = (name: string) => failing(definedStates[name]?.Retry?.[0]?.MaxAttempts ?? 10);
    await using saga = await startSaga(form, {
      ...Object.fromEntries(functionNames.map((name) => [name, last(name)])),
      // It fails for good behind all that can be undone.
      CreateShipment: ['StepUnavailable'],
    });
    const execution = await saga.start({});

    expect(await saga.end(execution)).toMatchObject({ output: { outcome: 'CANCELLED' } });
    const length = await saga.historyLength(execution);
    expect(length).toBeGreaterThan(200);
    expect(length).toBeLessThan(2_500);
  },
);

describe.each(forms)('a checkout by %s', (form) => {
  test('goes through every step to its confirmation', async () => {
    await using saga = await startSaga(form);

    expect(await saga.run()).toEqual({
      status: 'SUCCEEDED',
      output: { outcome: 'CONFIRMED', trackingNumber: 'MR1' },
      path: [...toPayment, 'CreateShipment', 'ConfirmOrder', 'SendConfirmation'],
    });
    expect(saga.calls.at(-1)).toMatchObject({ order: exampleOrder, cause, trackingNumber: 'MR1' });
  });

  test.each(failing)('is undone in reverse order when %s', async (_, failures, { reason, path }) => {
    await using saga = await startSaga(form, failures);

    expect(await saga.run()).toEqual({ status: 'SUCCEEDED', output: { outcome: 'CANCELLED', reason }, path });
    expect(saga.calls.find(({ step }) => step === 'CancelOrder')).toMatchObject({ cancellation: { reason } });
  });

  test('tells the customer what the owner of a step said when it refused', async () => {
    await using saga = await startSaga(form, { ReserveInventory: ['InsufficientInventory'] });

    await saga.run();

    expect(saga.calls.at(-1)).toMatchObject({
      step: 'NotifyCancellation',
      cancellation: { reason: 'OUT_OF_STOCK', detail: 'ReserveInventory says InsufficientInventory' },
    });
  });

  test('gives each step an idempotency key of its own, and the same one again when it is retried', async () => {
    await using saga = await startSaga(form, { ProcessPayment: ['StepUnavailable', 'then succeeds'] });
    const arn = await saga.start({});
    await saga.end(arn);

    const id = saga.keyOf(arn);
    expect(saga.calls.map(({ idempotencyKey }) => idempotencyKey)).toEqual(
      [
        ...['PlaceOrder', 'ReserveInventory', 'LockOrder', 'ProcessPayment', 'ProcessPayment'],
        ...['CreateShipment', 'ConfirmOrder', 'SendConfirmation'],
      ].map((state) => `${id}:${state}`),
    );
  });
});

test('a durable execution that begins again undoes every step, as the one before it may have done any', async () => {
  await using saga = await startSaga('durable function', { LockOrder: ['TypeError'] });

  expect((await saga.run({ resume: { count: 1 } })).path).toEqual([
    ...['PlaceOrder', 'ReserveInventory', 'LockOrder'],
    ...['RecallShipment', 'RefundPayment', 'ReleaseInventory', ...broken],
  ]);
});

describe.each(forms)('an order that needs an approval, by %s', (form) => {
  const input = { approvalRequired: true };
  const before = ['PlaceOrder', 'ReserveInventory', 'RequestApproval'];
  const refused = [...before, 'ReleaseInventory', 'CancelOrder', 'NotifyOrderCancelled'];

  /** Starts a checkout and waits until its approval was asked for. */
  async function asked(failures: Failures = {}) {
    const saga = await startSaga(form, failures);
    const arn = await saga.start(input);
    await saga.settle();
    const taskToken = String(saga.calls.at(-1)?.taskToken);
    return Object.assign(saga, { arn, taskToken });
  }

  test('goes on when it is approved', async () => {
    await using saga = await asked();
    expect(saga.calls.at(-1)).toMatchObject({ step: 'RequestApproval', attempt: 0 });

    await saga.approve(saga.taskToken, true);

    const path = [...before, 'LockOrder', 'ProcessPayment', 'CreateShipment', 'ConfirmOrder', 'SendConfirmation'];
    expect(await saga.end(saga.arn)).toMatchObject({ status: 'SUCCEEDED', path });
  });

  test('is undone when it is refused', async () => {
    await using saga = await asked();

    await saga.approve(saga.taskToken, false);

    const output = { outcome: 'CANCELLED', reason: 'NOT_APPROVED' };
    expect(await saga.end(saga.arn)).toEqual({ status: 'SUCCEEDED', output, path: refused });
    expect(saga.calls.at(-1)).toMatchObject({ cancellation: { detail: 'The order was not approved' } });
  });

  test('is refused when no answer comes in time', async () => {
    await using saga = await asked();

    await saga.advance(23 * 3_600_000);
    expect(await saga.describe(saga.arn)).toMatchObject({ status: 'RUNNING' });
    await saga.advance(3_600_000);

    const output = { outcome: 'CANCELLED', reason: 'NOT_APPROVED' };
    expect(await saga.end(saga.arn)).toEqual({ status: 'SUCCEEDED', output, path: refused });
    expect(saga.calls.at(-1)).toMatchObject({ cancellation: { detail: 'The order was not approved in time' } });
    expect(saga.calls.filter(({ step }) => step === 'RequestApproval')).toHaveLength(1);
  });

  test('is undone when the approval cannot be asked for', async () => {
    await using saga = await startSaga(form, { RequestApproval: ['TypeError'] });

    const output = { outcome: 'CANCELLED', reason: 'TECHNICAL_FAILURE' };
    expect(await saga.run(input)).toEqual({ status: 'SUCCEEDED', output, path: refused });
  });
});

describe('every step', () => {
  test.each(tasks)('%s has a time limit, and retries', (_, { TimeoutSeconds, Retry }) => {
    expect(TimeoutSeconds).toBeGreaterThan(0);
    expect(Retry).toHaveLength(1);
    for (const permanent of ['States.ALL', 'States.TaskFailed', 'InsufficientInventory', 'PaymentFailed']) {
      expect(Retry?.[0]?.ErrorEquals).not.toContain(permanent);
    }
  });

  test.each(tasks.filter(([, { Catch }]) => Catch))('%s catches what is left after its retries', (_, { Catch }) => {
    expect(Catch?.at(-1)?.ErrorEquals).toEqual(['States.ALL']);
  });

  const retriedErrors = definedStates.PlaceOrder?.Retry?.[0]?.ErrorEquals ?? [];
  const inBothForms = forms.flatMap((form) => retriedErrors.map((error): [Form, string] => [form, error]));
  test.each(inBothForms)('of the %s is retried after %s', async (form, error) => {
    await using saga = await startSaga(form, { PlaceOrder: [error, error, 'then succeeds'] });

    expect(await saga.run()).toMatchObject({ status: 'SUCCEEDED' });
    expect(saga.calls.filter(({ step }) => step === 'PlaceOrder')).toHaveLength(3);
  });

  test.each(forms)('of the %s is not retried after an error that cannot pass', async (form) => {
    await using saga = await startSaga(form, { PlaceOrder: ['OrderRefused'] });

    expect(await saga.run()).toMatchObject({ status: 'FAILED', error: 'OrderRefused', path: ['PlaceOrder'] });
    expect(saga.calls).toHaveLength(1);
  });
});

describe.each(forms)('a step that must succeed, by %s', (form) => {
  const refundFails: Failures = { CreateShipment: ['TypeError'] };

  /** A scenario in which each of them is reached, and its function. */
  test.each<[string, string, Failures]>([
    ['ConfirmOrder', 'ConfirmOrder', {}],
    ['SendConfirmation', 'SendConfirmation', {}],
    ['RecallShipment', 'RecallShipment', refundFails],
    ['RefundPayment', 'RefundPayment', refundFails],
    ['ReleaseInventory', 'ReleaseInventory', refundFails],
    ['CancelOrder', 'CancelOrder', refundFails],
    ['NotifyOrderCancelled', 'NotifyCancellation', refundFails],
    ['NotifyOutOfStock', 'NotifyCancellation', { ReserveInventory: ['InsufficientInventory'] }],
    ['NotifyPaymentFailed', 'NotifyCancellation', { ProcessPayment: ['PaymentFailed'] }],
  ])('%s is retried, fails the execution when it gives up, and is resumed there', async (state, step, failures) => {
    await using saga = await startSaga(form, { ...failures, [step]: ['StepUnavailable'] });
    const arn = await saga.start({});

    const failed = await saga.end(arn);
    expect(failed).toMatchObject({ status: 'FAILED', error: 'StepUnavailable' });
    expect(failed.path.at(-1)).toBe(state);
    const attempts = (of: string) => saga.calls.filter((call) => call.step === of);
    expect(attempts(step)).toHaveLength(11);
    const placed = attempts('PlaceOrder').length;

    saga.failures = failures;
    const resumed = await saga.resume(arn);

    expect(await saga.end(resumed)).toMatchObject({ status: 'SUCCEEDED' });
    expect(attempts('PlaceOrder')).toHaveLength(placed);
    expect(new Set(attempts(step).map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });
});

test.each(forms)('the tests enter every step and every catch of the definition, by %s', async (form) => {
  const entered = new Set<string>();
  const moves = new Set<string>();
  const note = (path: string[]) => {
    for (const [index, state] of path.entries()) {
      entered.add(state);
      moves.add(`${state} → ${path[index + 1]}`);
    }
  };
  for (const [, failures] of failing) {
    await using saga = await startSaga(form, failures);
    note((await saga.run()).path);
  }
  for (const failures of [{}, { RequestApproval: ['TypeError'] }]) {
    await using saga = await startSaga(form, failures);
    note((await saga.run({ approvalRequired: 'RequestApproval' in failures })).path);
  }

  expect([...entered].sort()).toEqual(tasks.map(([state]) => state).sort());
  const catches = Object.entries(definedStates).flatMap(([state, { Catch = [] }]) =>
    Catch.map(({ Next }) => `${state} → ${Next}`),
  );
  expect(catches.filter((move) => !moves.has(move))).toEqual([]);
});
