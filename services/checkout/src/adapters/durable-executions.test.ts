import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { lambda } from '@millrace/aws';
import { compilePattern } from '@millrace/event-pattern';
import { type DurableInProcess, startDurableInProcess } from '@millrace/local/durable-in-process';
import { exampleOrder } from '@millrace/orders/events';
import { named, nextExecution } from '@millrace/steps';
import { parse } from 'yaml';
import type { DurableInput } from '../domain/resumption.ts';
import { sagaSteps } from '../domain/saga.ts';
import { DurableExecutions } from './durable-executions.ts';

const functionArn = 'arn:aws:lambda:eu-central-1:000000000000:function:checkout';
const { orderId } = exampleOrder;
const input: DurableInput = {
  order: { ...exampleOrder, process: 'checkout' },
  cause: { correlationId: 'correlation-1' },
  approvalRequired: true,
};

let durable: DurableInProcess;
let executions: DurableExecutions;
let taskToken: string;
/** The step that fails. */
let broken: string | undefined;

beforeEach(async () => {
  process.env.MILLRACE_STAGE = 'dev';
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  const { checkout } = await import('../handlers/durable-checkout.ts');
  const step = (own: string) => (event: unknown) => {
    if (own === broken) throw named(Object.assign(new Error('a bug'), { name: 'TypeError' }));
    taskToken = (event as { taskToken?: string }).taskToken ?? taskToken;
    return { paymentId: 'payment-1', shipmentId: 'shipment-1', trackingNumber: 'MR1' };
  };
  const names = Object.values(sagaSteps).map(({ contract }) => contract.name.split('.') as [string, string]);
  const functions = Object.fromEntries(names.map(([service, own]) => [`millrace-${service}-dev-${own}`, step(own)]));
  broken = undefined;
  durable = await startDurableInProcess({ checkout }, functions);
  executions = new DurableExecutions(lambda(await durable.serve()), `${functionArn}:durable`);
});
afterEach(async () => {
  await durable[Symbol.asyncDispose]();
});

const states = async () => (await executions.find(orderId))?.states.map(({ state }) => state);

/** Lets all retries pass. */
async function letTimePass(): Promise<void> {
  for (let minute = 0; minute < 60; minute += 1) {
    await durable.settle();
    await durable.clock.advance(60_000);
  }
  await durable.settle();
}

describe('a durable execution', () => {
  test('starts once for a checkout, and is found with the states it was in', async () => {
    expect(await executions.find(orderId)).toBeUndefined();

    await executions.start(input);
    await executions.start({ ...input, approvalRequired: false });
    await durable.settle();

    const time = expect.any(String);
    expect(await executions.find(orderId)).toEqual({
      status: 'RUNNING',
      states: [
        { state: 'PlaceOrder', enteredAt: time, leftAt: time },
        { state: 'ReserveInventory', enteredAt: time, leftAt: time },
        { state: 'RequestApproval', enteredAt: time },
      ],
    });
  });

  test('goes on once it is approved, and waits for no second answer', async () => {
    await executions.start(input);
    await durable.settle();

    expect(await executions.answerApproval(taskToken, true)).toBe(true);
    await durable.settle();

    const found = await executions.find(orderId);
    expect(found).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'CONFIRMED', trackingNumber: 'MR1' } });
    expect(found?.states.every(({ leftAt }) => leftAt !== undefined)).toBe(true);
    expect(await executions.answerApproval(taskToken, true)).toBe(false);
  });

  test('is undone when it is refused', async () => {
    await executions.start(input);
    await durable.settle();

    expect(await executions.answerApproval(taskToken, false)).toBe(true);
    await durable.settle();

    const output = { outcome: 'CANCELLED', reason: 'NOT_APPROVED' };
    expect(await executions.find(orderId)).toMatchObject({ status: 'SUCCEEDED', output });
  });

  test('does not wait for an answer after its time', async () => {
    await executions.start(input);
    await durable.settle();

    await durable.clock.advance(86_400_000);
    await durable.settle();

    expect(await executions.answerApproval(taskToken, true)).toBe(false);
  });
});

describe('a durable execution that has stopped', () => {
  test('is told to the queue of failed executions, without the order', async () => {
    broken = 'placeOrderForCheckout';
    await executions.start(input);
    await letTimePass();

    const { EventPattern, Targets } = failedExecutionsRule();
    const told = durable.events.filter((event) => compilePattern(EventPattern)(event as never));
    expect(told).toMatchObject([{ detail: { status: 'FAILED', durableExecutionName: orderId } }]);
    expect(Targets[0].InputTransformer.InputPathsMap.executionArn).toBe('$.detail.durableExecutionArn');
    expect(JSON.stringify(told)).not.toContain('ada@example.com');
  });

  test('is found with the states of the one that goes on in its place', async () => {
    broken = 'sendConfirmationForCheckout';
    await executions.start({ ...input, approvalRequired: false });
    await letTimePass();
    expect(await executions.find(orderId)).toMatchObject({ status: 'FAILED' });
    const before = (await states()) ?? [];

    broken = undefined;
    const stopped = await durable.invoke('GetDurableExecution', { DurableExecutionArn: await arnOf(orderId) });
    const { ErrorData: errorData } = stopped.Error as { ErrorData: string };
    const stoppedInput = JSON.parse(String(stopped.InputPayload)) as DurableInput;
    const next = nextExecution({ name: orderId, input: stoppedInput, errorData });
    durable.start('checkout', next.input, next.name);
    await durable.settle();

    expect(next.name).toBe(`${orderId}-1`);
    expect(await executions.find(orderId)).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'CONFIRMED' } });
    expect(await states()).toEqual([...before, 'SendConfirmation']);
  });
});

async function arnOf(DurableExecutionName: string): Promise<string> {
  const listed = await durable.invoke('ListDurableExecutionsByFunction', {
    ...{ FunctionName: functionArn, DurableExecutionName },
  });
  return (listed.DurableExecutions as { DurableExecutionArn: string }[])[0]?.DurableExecutionArn ?? '';
}

/** As serverless.yml has it. */
function failedExecutionsRule() {
  const tag = (name: string) => ({ tag: `!${name}`, resolve: (text: string) => text });
  const text = readFileSync(join(import.meta.dirname, '../../serverless.yml'), 'utf8').replaceAll(
    /\$\{DurableCheckoutLambdaFunction\.Arn\}/g,
    functionArn,
  );
  const template = parse(text, { merge: true, logLevel: 'error', customTags: ['Ref', 'GetAtt', 'Sub'].map(tag) });
  const { Resources } = template.resources.find((part: { Resources?: object }) => part.Resources);
  return Resources.FailedDurableExecutionsRule.Properties;
}
