import type { Event, LambdaClient } from '@aws-sdk/client-lambda';
import { variableFrom } from '@millrace/errors';
import type { Execution, VisitedState } from '../domain/checkout-view.ts';
import type { ExecutionInput, Executions } from './executions.ts';
import { unless } from './unless.ts';

type Sdk = typeof import('@aws-sdk/client-lambda');

/**
 * The durable executions of the checkout function. One that has stopped cannot be resumed: an operator starts another one in its place,
 * named `<checkout>-1`, `<checkout>-2` and so on.
 */
export class DurableExecutions implements Executions {
  readonly #functionArn: string;
  #client: LambdaClient | undefined;

  /** @param functionArn with the alias or version that executions start with; those under way stay with theirs */
  constructor(functionArn: string, client?: LambdaClient) {
    this.#functionArn = functionArn;
    this.#client = client;
  }

  async start(input: ExecutionInput): Promise<void> {
    const { sdk, client } = await this.#load();
    const command = new sdk.InvokeCommand({
      FunctionName: this.#functionArn,
      InvocationType: 'Event',
      DurableExecutionName: input.order.orderId,
      Payload: Buffer.from(JSON.stringify(input)),
    });
    await client.send(command).catch(unless('DurableExecutionAlreadyStartedException'));
  }

  async find(checkoutId: string): Promise<Execution | undefined> {
    let found: Execution | undefined;
    for (let count = 0; ; count += 1) {
      const execution = await this.#describe(count === 0 ? checkoutId : `${checkoutId}-${count}`);
      if (!execution) return found;
      found = { ...execution, states: [...(found?.states ?? []), ...execution.states] };
      if (execution.status === 'RUNNING' || execution.status === 'SUCCEEDED') return found;
    }
  }

  async answerApproval(taskToken: string, approved: boolean): Promise<boolean> {
    const { sdk, client } = await this.#load();
    const CallbackId = taskToken;
    const sent = approved
      ? client.send(new sdk.SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: Buffer.from('{}') }))
      : client.send(
          new sdk.SendDurableExecutionCallbackFailureCommand({
            CallbackId,
            Error: { ErrorType: 'ApprovalRefused', ErrorMessage: 'The order was not approved' },
          }),
        );
    return (await sent.catch(unless('CallbackTimeoutException', 'ResourceNotFoundException'))) !== undefined;
  }

  async #describe(name: string): Promise<Execution | undefined> {
    const { sdk, client } = await this.#load();
    // Of all versions: it may have been started before the last deployment.
    const FunctionName = this.#functionArn.split(':').slice(0, 7).join(':');
    const { DurableExecutions = [] } = await client.send(
      new sdk.ListDurableExecutionsByFunctionCommand({ FunctionName, DurableExecutionName: name }),
    );
    const listed = DurableExecutions.find(({ DurableExecutionName }) => DurableExecutionName === name);
    const DurableExecutionArn = listed?.DurableExecutionArn;
    if (DurableExecutionArn === undefined) return undefined;
    const { Status, Result, EndTimestamp } = await client.send(
      new sdk.GetDurableExecutionCommand({ DurableExecutionArn }),
    );
    const events: Event[] = [];
    // Names and times alone: what went in and out is personal.
    const query = { DurableExecutionArn, IncludeExecutionData: false };
    for await (const page of sdk.paginateGetDurableExecutionHistory({ client }, query)) {
      events.push(...(page.Events ?? []));
    }
    return {
      status: String(Status),
      ...(Status === 'SUCCEEDED' && Result !== undefined && { output: JSON.parse(Result) }),
      states: visitedStates(events, Status === 'SUCCEEDED' ? EndTimestamp : undefined),
    };
  }

  /** Loaded when it is first needed: a stage with the state machine never does. */
  async #load(): Promise<{ sdk: Sdk; client: LambdaClient }> {
    const sdk = await import('@aws-sdk/client-lambda');
    this.#client ??= new sdk.LambdaClient({});
    return { sdk, client: this.#client };
  }
}

/** The durable executions of the function in MILLRACE_CHECKOUT_FUNCTION. @throws ConfigurationError when it is not set */
export function durableExecutionsFromEnvironment(): DurableExecutions {
  return new DurableExecutions(variableFrom('MILLRACE_CHECKOUT_FUNCTION', 'the ARN of an alias of a durable function'));
}

/** A state lasts until the next one begins: all attempts of its step, and the delays between them. */
function visitedStates(events: readonly Event[], endedAt: Date | undefined): VisitedState[] {
  const states: VisitedState[] = [];
  for (const { EventType, Name, EventTimestamp } of events) {
    if (EventType !== 'ChainedInvokeStarted' && EventType !== 'CallbackStarted') continue;
    const last = states.at(-1);
    if (Name === undefined || !EventTimestamp || last?.state === Name) continue;
    const at = EventTimestamp.toISOString();
    if (last) last.leftAt = at;
    states.push({ state: Name, enteredAt: at });
  }
  const last = states.at(-1);
  if (last && endedAt) last.leftAt = endedAt.toISOString();
  return states;
}
