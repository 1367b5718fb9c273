import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { functionArn, type StatesUnderTest, startStatesUnderTest } from '@millrace/local/states-under-test';
import { parse } from 'yaml';
import { orderBody } from './order-body.ts';
import type { OrderProcess, OrderScript } from './scripts.ts';
import { type AnswerAws, type Shop, stateMachineArn } from './shop.ts';

const folder = join(import.meta.dirname, '../../services/checkout');
const definition = readFileSync(join(folder, 'checkout.asl.json'), 'utf8');

/** How often nothing may happen before it is taken for the end of what is under way. */
const QUIET_TURNS = 30;

/** Some minutes less than the time that an approval has. */
const APPROVAL_MS = (24 * 60 - 10) * 60_000;
/** How far time is moved at once while steps may be retried. In ms. */
const STEP_MS = 20_000;

/** Does something to the call of a step: fails before it, or after it. */
export type Fault = (step: string, call: () => Promise<unknown>) => Promise<unknown>;

/** Orders by `POST /checkouts`, which the state machine takes through their steps. */
export class StateMachineProcess implements OrderProcess {
  readonly #shop: Shop;
  readonly #states: StatesUnderTest;
  /** For the calls of all steps. */
  fault: Fault = (_, call) => call();
  #inFlight = 0;

  private constructor(shop: Shop, states: StatesUnderTest) {
    this.#shop = shop;
    this.#states = states;
  }

  /** @param shop gets its answers of Step Functions by `answer` */
  static async start(shop: Shop): Promise<{ process: StateMachineProcess; answer: AnswerAws }> {
    let process: StateMachineProcess | undefined;
    const functions = Object.fromEntries(
      Object.entries(functionsOfSteps()).map(([place, name]) => [
        place,
        (event: unknown) => process?.call(place, () => shop.invoke(name, event)),
      ]),
    );
    const states = await startStatesUnderTest({ functions });
    process = new StateMachineProcess(shop, states);
    const text = definition.replaceAll(/\$\{(\w+)FunctionArn\}/g, (_, place: string) => functionArn(place));
    const machine = { name: 'checkout', definition: text, roleArn: 'arn:aws:iam::000000000000:role/states' };
    const { stateMachineArn: arn } = await states.invoke('CreateStateMachine', machine);
    if (String(arn) !== stateMachineArn) throw new Error(`The state machine is ${arn}, not ${stateMachineArn}`);
    return { process, answer: (operation, input) => states.invoke(operation, input) };
  }

  async call(step: string, run: () => Promise<unknown>): Promise<unknown> {
    this.#inFlight += 1;
    try {
      return await this.fault(step, run);
    } finally {
      this.#inFlight -= 1;
    }
  }

  async run(scripts: readonly OrderScript[]): Promise<string[]> {
    const ids: string[] = [];
    for (const script of scripts) ids.push(await this.start(script));
    await this.#shop.settle();
    await this.end(ids);
    for (const [index, id] of ids.entries()) {
      const { kind = 'good' } = scripts[index] ?? {};
      if ((await this.statusOf(id)) !== 'AWAITING_APPROVAL' || kind === 'approval timed out') continue;
      if (kind === 'cancelled half-way') {
        await this.#shop.request('orders.postCancellation', 'POST /orders/{orderId}/cancellation', {
          path: { orderId: id },
        });
      }
      await this.approve(id, kind !== 'approval refused');
    }
    await this.end(ids);
    // Those that nobody answers: most of a day, and then step by step, as steps are under way afterwards.
    await this.#states.clock.advance(APPROVAL_MS);
    await this.end(ids, { alsoWaiting: true });
    return ids;
  }

  /** Starts the checkout of an order. @returns its id */
  async start(script: OrderScript): Promise<string> {
    const { checkoutId } = await this.#shop.request('checkout.postCheckout', 'POST /checkouts', {
      body: orderBody(script),
    });
    return String(checkoutId);
  }

  /** Answers a checkout that waits for its approval, as soon as it can be answered: asking for it may have to be retried. */
  async approve(checkoutId: string, approved: boolean): Promise<void> {
    const route = 'POST /checkouts/{checkoutId}/approval';
    const request = { sub: 'staff', path: { checkoutId }, body: { approved } };
    while ((await this.statusOf(checkoutId)) === 'AWAITING_APPROVAL') {
      try {
        await this.#shop.request('checkout.postApproval', route, request);
        return;
      } catch (error) {
        if (!/answered 409/.test(String(error))) throw error;
        await this.#states.clock.advance(STEP_MS);
        await this.#quiet();
      }
    }
  }

  async statusOf(checkoutId: string): Promise<string> {
    const route = 'GET /checkouts/{checkoutId}';
    const { status } = await this.#shop.request('checkout.getCheckout', route, { path: { checkoutId } });
    return String(status);
  }

  /** Resumes the execution of a checkout that has stopped, as `npm run redrive` does. */
  async resume(checkoutId: string): Promise<void> {
    await this.#states.invoke('RedriveExecution', { executionArn: executionArn(checkoutId) });
  }

  /** Lets time pass until checkouts have ended, have stopped, or wait for a person; and delivers what they store for the bus. */
  async end(checkoutIds: readonly string[], { alsoWaiting = false } = {}): Promise<void> {
    const underWay = new Set(checkoutIds);
    for (let step = 0; step < 600 && underWay.size > 0; step += 1) {
      await this.#quiet();
      for (const id of underWay) if (!(await this.#isUnderWay(id, alsoWaiting))) underWay.delete(id);
      if (underWay.size > 0) await this.#states.clock.advance(STEP_MS);
    }
    await this.#shop.settle();
  }

  async #isUnderWay(checkoutId: string, alsoWaiting: boolean): Promise<boolean> {
    const { status } = await this.#states.describe(executionArn(checkoutId));
    if (status !== 'RUNNING') return false;
    return alsoWaiting || (await this.statusOf(checkoutId)) !== 'AWAITING_APPROVAL';
  }

  /** Waits until no step is under way, and none begins by itself. */
  async #quiet(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet = this.#inFlight > 0 ? 0 : quiet + 1) {
      await nextTurn();
      if (this.#inFlight === 0) await this.#states.clock.advance(0);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#states[Symbol.asyncDispose]();
  }
}

function executionArn(checkoutId: string): string {
  return `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${checkoutId}`;
}

/** The functions of the definition's places, e.g. `PlaceOrder: 'orders.placeOrderForCheckout'`. */
export function functionsOfSteps(): Record<string, string> {
  const tag = (name: string) => ({ tag: `!${name}`, resolve: (text: string) => text });
  const text = readFileSync(join(folder, 'serverless.yml'), 'utf8');
  const template = parse(text, { merge: true, logLevel: 'error', customTags: ['Ref', 'GetAtt', 'Sub'].map(tag) });
  const { Resources } = template.resources.find((part: { Resources?: object }) => part.Resources);
  const substitutions: Record<string, string> = Resources.StateMachine.Properties.DefinitionSubstitutions;
  return Object.fromEntries(
    Object.entries(substitutions).map(([name, arn]) => {
      const [, service = 'checkout', own = 'requestApproval'] =
        /:millrace-(\w+)-\$\{sls:stage\}-(\w+)$/.exec(arn) ?? [];
      return [name.replace('FunctionArn', ''), `${service}.${own}`];
    }),
  );
}
