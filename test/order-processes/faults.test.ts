import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { named } from '@millrace/steps';
import type { CheckoutProcess, Fault } from './checkouts.ts';
import { DurableFunctionProcess } from './durable-function.ts';
import type { Kind, OrderScript } from './scripts.ts';
import { type AnswerAws, Shop } from './shop.ts';
import { functionsOfSteps, StateMachineProcess } from './state-machine.ts';

let shop: Shop;
const forms: Record<string, CheckoutProcess> = {};

beforeAll(async () => {
  let answer: AnswerAws = async () => ({});
  shop = await Shop.open((operation, input) => answer(operation, input));
  const started = await StateMachineProcess.start(shop);
  answer = started.answer;
  Object.assign(forms, {
    'state machine': started.process,
    'durable function': await DurableFunctionProcess.start(shop),
  });
});
afterAll(async () => {
  for (const form of Object.values(forms)) await form[Symbol.asyncDispose]();
  await shop?.[Symbol.asyncDispose]();
});

/** As a step throws it, or as Lambda reports it. */
const failure = (name: string) => {
  const error = Object.assign(new Error(`${name} of the test`), { name });
  return name.includes('.') ? error : named(error);
};

/** How the call of a step may fail, and whether a retry helps. */
const faults: Record<
  string,
  { passes: boolean; fault: (call: () => Promise<unknown>, attempt: number) => Promise<unknown> }
> = {
  'dies once before its effect': {
    passes: true,
    fault: (call, attempt) => (attempt === 1 ? Promise.reject(failure('Lambda.Unknown')) : call()),
  },
  'loses its answer once': {
    passes: true,
    fault: async (call, attempt) => {
      const output = await call();
      if (attempt === 1) throw failure('Lambda.Unknown');
      return output;
    },
  },
  'is never available': { passes: false, fault: () => Promise.reject(failure('StepUnavailable')) },
  'has a bug': { passes: false, fault: () => Promise.reject(failure('TypeError')) },
  'has a bug after its effect': {
    passes: false,
    fault: async (call) => {
      await call();
      throw failure('TypeError');
    },
  },
};

/** What an order needs to come to a step, and what becomes of it when the step never succeeds. */
interface Reached {
  kind: Kind;
  /** Another step that fails, so that the process goes backwards. */
  broken?: string;
  /** Before somebody resumes it. */
  failing: 'STOPPED' | 'CANCELLED';
  /** At last. */
  end: 'CONFIRMED' | 'CANCELLED';
}

const forward = { kind: 'good', end: 'CONFIRMED' } as const;
/** The last step that can be undone has a bug after its effect. */
const backward = { kind: 'good', broken: 'CreateShipment', failing: 'STOPPED', end: 'CANCELLED' } as const;

const steps: Readonly<Record<string, Reached>> = {
  PlaceOrder: { ...forward, failing: 'STOPPED' },
  ReserveInventory: { ...forward, failing: 'CANCELLED' },
  RequestApproval: { ...forward, kind: 'approved', failing: 'CANCELLED' },
  LockOrder: { ...forward, failing: 'CANCELLED' },
  ProcessPayment: { ...forward, failing: 'CANCELLED' },
  CreateShipment: { ...forward, failing: 'CANCELLED' },
  ConfirmOrder: { ...forward, failing: 'STOPPED' },
  SendConfirmation: { ...forward, failing: 'STOPPED' },
  RecallShipment: backward,
  RefundPayment: backward,
  ReleaseInventory: backward,
  CancelOrder: backward,
  NotifyCancellation: backward,
};

test('every step of the definition is here', () => {
  expect(Object.keys(steps).sort()).toEqual(Object.keys(functionsOfSteps()).sort());
});

let orders = 0;

const cases = Object.entries(steps).flatMap(([step, reached]) =>
  ['state machine', 'durable function'].map((form) => ({ step, form, ...reached })),
);

describe.each(cases)('when $step of the $form', ({ step, form, kind, broken, failing, end }) => {
  test.each(Object.entries(faults))('%s, money and stock are where they belong', async (_, { passes, fault }) => {
    orders += 1;
    const sku = `FAULT-${orders}`;
    await shop.fill({ [sku]: 10 });
    const unitPrice = kind === 'approved' ? 120_000 : 500;
    const script: OrderScript = {
      ...{ number: 1_000 + orders, kind, lines: [{ sku, quantity: 3, unitPrice }], paymentToken: 'tok_approved' },
    };
    const attempts = new Map<string, number>();
    const failWith: Fault = async (called, call) => {
      attempts.set(called, (attempts.get(called) ?? 0) + 1);
      if (called === step) return fault(call, attempts.get(called) ?? 1);
      if (called !== broken) return call();
      await call();
      throw failure('TypeError');
    };
    const process = forms[form];
    if (!process) throw new Error(`There is no ${form}`);
    process.fault = failWith;

    const [id = ''] = await process.run([script]);

    if (!passes) {
      expect(await process.statusOf(id)).toBe(failing);
      // What was wrong is mended, and `npm run redrive` resumes the checkout.
      process.fault = (called, call) => (called === step ? call() : failWith(called, call));
      if (failing === 'STOPPED') await process.resume(id);
      await process.end([id]);
    }
    const status = passes || failing === 'STOPPED' ? end : failing;
    expect(await process.statusOf(id)).toBe(status);
    const ending = await shop.ending(id);
    const isConfirmed = status === 'CONFIRMED';
    expect(ending).toMatchObject({ status, shipped: isConfirmed });
    expect(ending.money === 'kept').toBe(isConfirmed);
    expect(await shop.stockOf([sku])).toEqual({
      [sku]: isConfirmed ? { available: 7, reserved: 0, shipped: 3 } : { available: 10, reserved: 0, shipped: 0 },
    });
    expect(shop.mails.get(`order-${script.number}@example.com`)).toHaveLength(1);
    expect(shop.deadLetters).toEqual([]);
    expect(await shop.repeatedPayments()).toEqual([]);
  });
});

const stops = ['LockOrder', 'ProcessPayment', 'CreateShipment', 'ConfirmOrder'].flatMap((step) => [
  { step, when: 'before its effect' },
  { step, when: 'after its effect' },
]);

// ConfirmOrder has no way back once it is done.
test.each(stops.slice(0, -1))(
  'a durable function that an operator stops at $step, $when, is undone when nobody approves it again',
  async ({ step, when }) => {
    orders += 1;
    const sku = `STOP-${orders}`;
    await shop.fill({ [sku]: 10 });
    const script: OrderScript = {
      ...{ number: 2_000 + orders, kind: 'approved', paymentToken: 'tok_approved' },
      lines: [{ sku, quantity: 3, unitPrice: 120_000 }],
    };
    const process = forms['durable function'] as DurableFunctionProcess;
    process.fault = (_, call) => call();
    const id = await process.start(script);
    await shop.settle();
    await process.end([id]);
    process.fault = async (called, call) => {
      if (called !== step) return call();
      if (when === 'after its effect') await call();
      await process.stop(id);
      throw failure('Lambda.Unknown');
    };
    await process.approve(id, true);
    await process.end([id]);
    expect(await process.statusOf(id)).toBe('STOPPED');

    process.fault = (_, call) => call();
    await process.resume(id);
    await process.end([id]);
    await process.approve(id, false);
    await process.end([id]);

    const ending = await shop.ending(id);
    expect(ending).toMatchObject({ status: 'CANCELLED', shipped: false });
    expect(ending.money).not.toBe('kept');
    expect(await shop.stockOf([sku])).toEqual({ [sku]: { available: 10, reserved: 0, shipped: 0 } });
    expect(shop.mails.get(`order-${script.number}@example.com`)).toHaveLength(1);
    expect(shop.deadLetters).toEqual([]);
  },
);
