import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { functionArn, type StatesUnderTest, startStatesUnderTest } from '@millrace/local/states-under-test';
import { parse } from 'yaml';
import { CheckoutProcess } from './checkouts.ts';
import { type AnswerAws, type Shop, stateMachineArn } from './shop.ts';

const folder = join(import.meta.dirname, '../../services/checkout');
const definition = readFileSync(join(folder, 'checkout.asl.json'), 'utf8');

/** How often nothing may happen before it is taken for the end of what is under way. */
const QUIET_TURNS = 30;

/** Orders by `POST /checkouts`, which the state machine takes through their steps. */
export class StateMachineProcess extends CheckoutProcess {
  readonly #states: StatesUnderTest;

  private constructor(shop: Shop, states: StatesUnderTest) {
    super(shop);
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

  /** As `npm run redrive` does. */
  async resume(checkoutId: string): Promise<void> {
    await this.#states.invoke('RedriveExecution', { executionArn: executionArn(checkoutId) });
  }

  protected async isRunning(checkoutId: string): Promise<boolean> {
    return (await this.#states.describe(executionArn(checkoutId))).status === 'RUNNING';
  }

  protected advance(ms: number): Promise<void> {
    return this.#states.clock.advance(ms);
  }

  protected async quiet(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet = this.inFlight > 0 ? 0 : quiet + 1) {
      await nextTurn();
      if (this.inFlight === 0) await this.#states.clock.advance(0);
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
