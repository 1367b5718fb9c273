import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { choreography } from './choreography.ts';
import { DurableFunctionProcess } from './durable-function.ts';
import { endings, needsApproval, type OrderProcess, type OrderScript, scriptedOrders, stock } from './scripts.ts';
import { type AnswerAws, Shop } from './shop.ts';
import { StateMachineProcess } from './state-machine.ts';

const ORDERS = 300;
/** See `approversEmail` in serverless.stages.yml. */
const APPROVERS = 'approvals@millrace.example';
/** Orders that are on their way at the same time. */
const AT_ONCE = 20;

let shop: Shop;
const forms: Record<string, OrderProcess> = {};

beforeAll(async () => {
  let answer: AnswerAws = async () => ({});
  shop = await Shop.open((operation, input) => answer(operation, input));
  const machine = await StateMachineProcess.start(shop);
  answer = machine.answer;
  Object.assign(forms, {
    choreography: choreography(shop),
    'state machine': machine.process,
    'durable function': await DurableFunctionProcess.start(shop),
  });
});
afterAll(async () => {
  for (const form of Object.values(forms)) await form[Symbol.asyncDispose]();
  await shop?.[Symbol.asyncDispose]();
});

/** The scripts with SKUs of a form's own, so that the forms do not share stock. */
const scriptsFor = (prefix: string): OrderScript[] =>
  scriptedOrders(ORDERS).map((script) => ({
    ...script,
    lines: script.lines.map((line) => ({ ...line, sku: `${prefix}-${line.sku}` })),
  }));

/** What is left in stock when the orders have ended as they are to. */
function expectedStock(): Record<string, object> {
  return Object.fromEntries(
    Object.entries(stock).map(([sku, available]) => {
      const shipped = scriptedOrders(ORDERS)
        .filter(({ kind }) => endings[kind].shipped)
        .flatMap(({ lines }) => lines)
        .reduce((sum, line) => sum + (line.sku === sku ? line.quantity : 0), 0);
      return [sku, { available: available - shipped, reserved: 0, shipped }];
    }),
  );
}

describe.each(['choreography', 'state machine', 'durable function'])('by %s', (form) => {
  test(`${ORDERS} scripted orders end with the same orders, stock and payments`, async () => {
    const prefix = form.replace(' ', '-').toUpperCase();
    await shop.fill(
      Object.fromEntries(Object.entries(stock).map(([sku, available]) => [`${prefix}-${sku}`, available])),
    );
    const scripts = scriptsFor(prefix);
    const wrong: object[] = [];
    shop.mails.clear();
    for (let first = 0; first < scripts.length; first += AT_ONCE) {
      const some = scripts.slice(first, first + AT_ONCE);
      const ids = (await forms[form]?.run(some)) ?? [];
      for (const [index, script] of some.entries()) {
        const ending = await shop.ending(ids[index] ?? '');
        if (JSON.stringify(ending) !== JSON.stringify(endings[script.kind])) wrong.push({ ...script, ending });
      }
    }

    expect(wrong).toEqual([]);
    const left = await shop.stockOf(Object.keys(stock).map((sku) => `${prefix}-${sku}`));
    expect(
      Object.fromEntries(Object.entries(left).map(([sku, level]) => [sku.slice(prefix.length + 1), level])),
    ).toEqual(expectedStock());
    expect(shop.deadLetters).toEqual([]);
    expect(await shop.repeatedPayments()).toEqual([]);
    // The choreography has no approvals.
    const waited = form === 'choreography' ? 0 : scripts.filter(needsApproval).length;
    expect(shop.mails.get(APPROVERS) ?? []).toHaveLength(waited);
    shop.mails.delete(APPROVERS);
    expect([...shop.mails.values()].filter((mails) => mails.length !== 1)).toEqual([]);
    expect(shop.mails.size).toBe(ORDERS);
  });
});
