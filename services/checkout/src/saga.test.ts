import { describe, expect, test } from '@jest/globals';
import { exampleOrder } from '@millrace/orders/events';
import { cause, definedStates, type Failures, functionNames, startSaga } from '../fixtures/saga-under-test.ts';
import { APPROVAL_SECONDS } from './domain/approval.ts';

const toPayment = ['PlaceOrder', 'ReserveInventory', 'IsApprovalRequired', 'LockOrder', 'ProcessPayment'];
const cancelled = ['CancelOrder', 'WhyCancelled'];
const broken = [...cancelled, 'NotifyOrderCancelled'];

/** How it ends when steps fail. */
const failing: [string, Failures, { reason: string; path: string[] }][] = [
  [
    'stock is short',
    { ReserveInventory: ['InsufficientInventory'] },
    { reason: 'OUT_OF_STOCK', path: ['PlaceOrder', 'ReserveInventory', ...cancelled, 'NotifyOutOfStock'] },
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
    { reason: 'PAYMENT_FAILED', path: [...toPayment, 'ReleaseInventory', ...cancelled, 'NotifyPaymentFailed'] },
  ],
  [
    'it is unknown whether the order was charged',
    { ProcessPayment: ['StepUnavailable'] },
    { reason: 'TECHNICAL_FAILURE', path: [...toPayment, 'RefundPayment', 'ReleaseInventory', ...broken] },
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

test('an approval may take as long as its approvers are told', () => {
  expect(definedStates.RequestApproval?.TimeoutSeconds).toBe(APPROVAL_SECONDS);
});

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
test('a checkout with all retries of all its steps stays far below the 25,000 events that a history may have', async () => {
  const failing = (times: number) => [...Array<string>(times).fill('StepUnavailable'), 'then succeeds'];
  const last = (name: string) => failing(definedStates[name]?.Retry?.[0]?.MaxAttempts ?? 10);
  await using saga = await startSaga({
    ...Object.fromEntries(functionNames.map((name) => [name, last(name)])),
    // It fails for good behind all that can be undone.
    CreateShipment: ['StepUnavailable'],
  });
  const execution = await saga.start();

  expect(await saga.end(execution)).toMatchObject({ output: { outcome: 'CANCELLED' } });
  const { length } = await saga.states.history(execution);
  expect(length).toBeGreaterThan(200);
  expect(length).toBeLessThan(2_500);
});

describe('a checkout', () => {
  test('goes through every step to its confirmation', async () => {
    await using saga = await startSaga();

    expect(await saga.run()).toEqual({
      status: 'SUCCEEDED',
      output: { outcome: 'CONFIRMED', trackingNumber: 'MR1' },
      path: [...toPayment, 'CreateShipment', 'ConfirmOrder', 'SendConfirmation'],
    });
    expect(saga.calls.at(-1)).toMatchObject({ order: exampleOrder, cause, trackingNumber: 'MR1' });
  });

  test.each(failing)('is undone in reverse order when %s', async (_, failures, { reason, path }) => {
    await using saga = await startSaga(failures);

    expect(await saga.run()).toEqual({ status: 'SUCCEEDED', output: { outcome: 'CANCELLED', reason }, path });
    expect(saga.calls.find(({ step }) => step === 'CancelOrder')).toMatchObject({ cancellation: { reason } });
  });

  test('tells the customer what the owner of a step said when it refused', async () => {
    await using saga = await startSaga({ ReserveInventory: ['InsufficientInventory'] });

    await saga.run();

    expect(saga.calls.at(-1)).toMatchObject({
      step: 'NotifyCancellation',
      cancellation: { reason: 'OUT_OF_STOCK', detail: 'ReserveInventory says InsufficientInventory' },
    });
  });

  test('gives each step an idempotency key of its own, and the same one again when it is retried', async () => {
    await using saga = await startSaga({ ProcessPayment: ['StepUnavailable', 'then succeeds'] });
    const arn = await saga.start();
    await saga.end(arn);

    const id = arn.split(':').at(-1);
    expect(saga.calls.map(({ idempotencyKey }) => idempotencyKey)).toEqual(
      [
        ...['PlaceOrder', 'ReserveInventory', 'LockOrder', 'ProcessPayment', 'ProcessPayment'],
        ...['CreateShipment', 'ConfirmOrder', 'SendConfirmation'],
      ].map((state) => `${id}:${state}`),
    );
  });
});

describe('an order that needs an approval', () => {
  const input = { approvalRequired: true };
  const before = ['PlaceOrder', 'ReserveInventory', 'IsApprovalRequired', 'RequestApproval'];
  const refused = [...before, 'ReleaseInventory', ...cancelled, 'NotifyOrderCancelled'];

  /** Starts a checkout and waits until its approval was asked for. */
  async function asked(failures: Failures = {}) {
    const saga = await startSaga(failures);
    const arn = await saga.start(input);
    await saga.states.settle();
    const taskToken = String(saga.calls.at(-1)?.taskToken);
    return Object.assign(saga, { arn, taskToken });
  }

  test('goes on when it is approved', async () => {
    await using saga = await asked();
    expect(saga.calls.at(-1)).toMatchObject({ step: 'RequestApproval', attempt: 0 });

    await saga.states.invoke('SendTaskSuccess', { taskToken: saga.taskToken, output: '{}' });

    const path = [...before, 'LockOrder', 'ProcessPayment', 'CreateShipment', 'ConfirmOrder', 'SendConfirmation'];
    expect(await saga.end(saga.arn)).toMatchObject({ status: 'SUCCEEDED', path });
  });

  test('is undone when it is refused', async () => {
    await using saga = await asked();

    await saga.states.invoke('SendTaskFailure', { taskToken: saga.taskToken, error: 'ApprovalRefused' });

    const output = { outcome: 'CANCELLED', reason: 'NOT_APPROVED' };
    expect(await saga.end(saga.arn)).toEqual({ status: 'SUCCEEDED', output, path: refused });
    expect(saga.calls.at(-1)).toMatchObject({ cancellation: { detail: 'The order was not approved' } });
  });

  test('is refused when no answer comes in time', async () => {
    await using saga = await asked();

    await saga.states.clock.advance(23 * 3_600_000);
    expect(await saga.states.describe(saga.arn)).toMatchObject({ status: 'RUNNING' });
    await saga.states.clock.advance(3_600_000);

    const output = { outcome: 'CANCELLED', reason: 'NOT_APPROVED' };
    expect(await saga.end(saga.arn)).toEqual({ status: 'SUCCEEDED', output, path: refused });
    expect(saga.calls.at(-1)).toMatchObject({ cancellation: { detail: 'The order was not approved in time' } });
    expect(saga.calls.filter(({ step }) => step === 'RequestApproval')).toHaveLength(1);
  });

  test('is undone when the approval cannot be asked for', async () => {
    await using saga = await startSaga({ RequestApproval: ['TypeError'] });

    const output = { outcome: 'CANCELLED', reason: 'TECHNICAL_FAILURE' };
    expect(await saga.run(input)).toEqual({ status: 'SUCCEEDED', output, path: refused });
  });
});

describe('every step', () => {
  const tasks = Object.entries(definedStates).filter(([, { Type }]) => Type === 'Task');

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
  test.each(retriedErrors)('is retried after %s', async (error) => {
    await using saga = await startSaga({ PlaceOrder: [error, error, 'then succeeds'] });

    expect(await saga.run()).toMatchObject({ status: 'SUCCEEDED' });
    expect(saga.calls.filter(({ step }) => step === 'PlaceOrder')).toHaveLength(3);
  });

  test('is not retried after an error that cannot pass', async () => {
    await using saga = await startSaga({ PlaceOrder: ['OrderRefused'] });

    expect(await saga.run()).toMatchObject({ status: 'FAILED', error: 'OrderRefused', path: ['PlaceOrder'] });
    expect(saga.calls).toHaveLength(1);
  });
});

describe('a step that must succeed', () => {
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
    await using saga = await startSaga({ ...failures, [step]: ['StepUnavailable'] });
    const arn = await saga.start();

    const failed = await saga.end(arn);
    expect(failed).toMatchObject({ status: 'FAILED', error: 'StepUnavailable' });
    expect(failed.path.at(-1)).toBe(state);
    const attempts = (of: string) => saga.calls.filter((call) => call.step === of);
    expect(attempts(step)).toHaveLength(11);
    const placed = attempts('PlaceOrder').length;

    saga.failures = failures;
    await saga.states.invoke('RedriveExecution', { executionArn: arn });

    expect(await saga.end(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(attempts('PlaceOrder')).toHaveLength(placed);
    expect(new Set(attempts(step).map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });
});

test('the tests enter every state and every catch of the definition', async () => {
  const entered = new Set<string>();
  const moves = new Set<string>();
  const note = (path: string[]) => {
    for (const [index, state] of path.entries()) {
      entered.add(state);
      moves.add(`${state} → ${path[index + 1]}`);
    }
  };
  for (const [, failures] of failing) {
    await using saga = await startSaga(failures);
    note((await saga.run()).path);
  }
  for (const failures of [{}, { RequestApproval: ['TypeError'] }]) {
    await using saga = await startSaga(failures);
    note((await saga.run({ approvalRequired: 'RequestApproval' in failures })).path);
  }

  expect([...entered].sort()).toEqual(Object.keys(definedStates).sort());
  const catches = Object.entries(definedStates).flatMap(([state, { Catch = [] }]) =>
    Catch.map(({ Next }) => `${state} → ${Next}`),
  );
  expect(catches.filter((move) => !moves.has(move))).toEqual([]);
});
