import { type DurableInProcess, startDurableInProcess } from '@millrace/local/durable-in-process';
import { nextExecution } from '@millrace/steps';
import type { DurableInput } from '../../services/checkout/src/domain/resumption.ts';
import { CheckoutProcess } from './checkouts.ts';
import type { OrderScript } from './scripts.ts';
import type { Shop } from './shop.ts';
import { functionsOfSteps } from './state-machine.ts';

const FUNCTION = 'millrace-checkout-dev-durableCheckout';

/** Orders by `POST /checkouts`, which the durable function takes through their steps. */
export class DurableFunctionProcess extends CheckoutProcess {
  readonly #durable: DurableInProcess;
  /** The last execution of each checkout that an operator has resumed. */
  readonly #resumed = new Map<string, string>();

  private constructor(shop: Shop, durable: DurableInProcess) {
    super(shop);
    this.#durable = durable;
  }

  static async start(shop: Shop): Promise<DurableFunctionProcess> {
    let started: DurableFunctionProcess | undefined;
    const functions = Object.fromEntries(
      Object.entries(functionsOfSteps()).map(([place, name]) => [
        `millrace-${name.replace('.', '-dev-')}`,
        (event: unknown) => started?.call(place, () => shop.invoke(name, event)),
      ]),
    );
    const { checkout } = await import('../../services/checkout/src/handlers/durable-checkout.ts');
    const durable = await startDurableInProcess({ [FUNCTION]: checkout }, functions);
    process.env.AWS_ENDPOINT_URL_LAMBDA = (await durable.serve()).endpoint;
    started = new DurableFunctionProcess(shop, durable);
    return started;
  }

  override async start(script: OrderScript): Promise<string> {
    const checkoutId = await super.start(script);
    // As in a stage that has chosen it; the variables of this shop are those of dev.
    await this.shop.choose(checkoutId, 'durable-function');
    return checkoutId;
  }

  /** Stops the execution of a checkout, as an operator does. */
  async stop(checkoutId: string): Promise<void> {
    const { DurableExecutionArn } = await this.#lastOf(checkoutId);
    await this.#durable.invoke('StopDurableExecution', { DurableExecutionArn });
  }

  async resume(checkoutId: string): Promise<void> {
    const { DurableExecutionArn } = await this.#lastOf(checkoutId);
    const stopped = await this.#durable.invoke('GetDurableExecution', { DurableExecutionArn });
    const { ErrorData: errorData } = (stopped.Error ?? {}) as { ErrorData?: string };
    const { name, input } = nextExecution({
      name: String(stopped.DurableExecutionName),
      input: JSON.parse(String(stopped.InputPayload)) as DurableInput,
      errorData,
    });
    this.#durable.start(FUNCTION, input, name);
    this.#resumed.set(checkoutId, name);
  }

  protected async isRunning(checkoutId: string): Promise<boolean> {
    return (await this.#lastOf(checkoutId)).Status === 'RUNNING';
  }

  async #lastOf(checkoutId: string): Promise<Record<string, unknown>> {
    const DurableExecutionName = this.#resumed.get(checkoutId) ?? checkoutId;
    const query = { FunctionName: FUNCTION, DurableExecutionName };
    const { DurableExecutions } = await this.#durable.invoke('ListDurableExecutionsByFunction', query);
    const [last] = DurableExecutions as Record<string, unknown>[];
    if (!last) throw new Error(`There is no execution ${DurableExecutionName}`);
    return last;
  }

  protected advance(ms: number): Promise<void> {
    return this.#durable.clock.advance(ms);
  }

  protected quiet(): Promise<void> {
    return this.#durable.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#durable[Symbol.asyncDispose]();
  }
}
