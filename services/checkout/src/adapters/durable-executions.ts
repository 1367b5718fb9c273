import {
  GetDurableExecutionCommand,
  InvokeCommand,
  type Lambda,
  ListDurableExecutionsByFunctionCommand,
  lambda,
  paginateDurableExecutionHistory,
  SendDurableExecutionCallbackFailureCommand,
  SendDurableExecutionCallbackSuccessCommand,
} from '@millrace/aws';
import { variableFrom } from '@millrace/errors';
import type { Execution, VisitedState } from '../domain/checkout-view.ts';
import type { ExecutionInput, Executions } from '../domain/executions.ts';
import { unless } from './unless.ts';

/** An entry of an execution's history, of which this reads three members. */
interface HistoryEvent {
  EventType?: string | undefined;
  Name?: string | undefined;
  EventTimestamp?: Date | undefined;
}

/**
 * The durable executions of the checkout function. One that has stopped cannot be resumed: an operator starts another one in its place,
 * named `<checkout>-1`, `<checkout>-2` and so on.
 */
export class DurableExecutions implements Executions {
  readonly #client: Lambda;
  readonly #functionArn: string;

  /** @param functionArn with the alias or version that executions start with; those under way stay with theirs */
  constructor(client: Lambda, functionArn: string) {
    this.#client = client;
    this.#functionArn = functionArn;
  }

  async start(input: ExecutionInput): Promise<void> {
    const command = new InvokeCommand({
      FunctionName: this.#functionArn,
      InvocationType: 'Event',
      DurableExecutionName: input.order.orderId,
      Payload: JSON.stringify(input),
    });
    await this.#client.send(command).catch(unless('DurableExecutionAlreadyStartedException'));
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
    const CallbackId = taskToken;
    const sent = approved
      ? this.#client.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: '{}' }))
      : this.#client.send(
          new SendDurableExecutionCallbackFailureCommand({
            CallbackId,
            Error: { ErrorType: 'ApprovalRefused', ErrorMessage: 'The order was not approved' },
          }),
        );
    return (await sent.catch(unless('CallbackTimeoutException', 'ResourceNotFoundException'))) !== undefined;
  }

  async #describe(name: string): Promise<Execution | undefined> {
    // Of all versions: it may have been started before the last deployment.
    const FunctionName = this.#functionArn.split(':').slice(0, 7).join(':');
    const { DurableExecutions = [] } = await this.#client.send(
      new ListDurableExecutionsByFunctionCommand({ FunctionName, DurableExecutionName: name }),
    );
    const listed = DurableExecutions.find(({ DurableExecutionName }) => DurableExecutionName === name);
    const DurableExecutionArn = listed?.DurableExecutionArn;
    if (DurableExecutionArn === undefined) return undefined;
    const { Status, Result, EndTimestamp } = await this.#client.send(
      new GetDurableExecutionCommand({ DurableExecutionArn }),
    );
    const events: HistoryEvent[] = [];
    // Names and times alone: inputs and outputs are personal.
    const query = { DurableExecutionArn, IncludeExecutionData: false };
    for await (const page of paginateDurableExecutionHistory(this.#client, query)) {
      events.push(...(page.Events ?? []));
    }
    return {
      status: String(Status),
      ...(Status === 'SUCCEEDED' && Result !== undefined && { output: JSON.parse(Result) }),
      states: visitedStates(events, Status === 'SUCCEEDED' ? EndTimestamp : undefined),
    };
  }
}

/** The durable executions of the function in MILLRACE_CHECKOUT_FUNCTION. @throws ConfigurationError when it is not set */
export function durableExecutionsFromEnvironment(): DurableExecutions {
  return new DurableExecutions(
    lambda(),
    variableFrom('MILLRACE_CHECKOUT_FUNCTION', 'the ARN of an alias of a durable function'),
  );
}

/** A state lasts until the next one begins: all attempts of its step, and the delays between them. */
function visitedStates(events: readonly HistoryEvent[], endedAt: Date | undefined): VisitedState[] {
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
