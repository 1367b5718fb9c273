import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  type StepFunctions,
  stepFunctions,
} from '@millrace/aws';
import { variableFrom } from '@millrace/errors';
import type { Execution, VisitedState } from '../domain/checkout-view.ts';
import type { ExecutionInput, Executions } from '../domain/executions.ts';
import { unless } from './unless.ts';

/** The executions of the checkout's state machine. */
export class StateMachineExecutions implements Executions {
  readonly #client: StepFunctions;
  readonly #stateMachineArn: string;

  constructor(client: StepFunctions, stateMachineArn: string) {
    this.#client = client;
    this.#stateMachineArn = stateMachineArn;
  }

  async start(input: ExecutionInput): Promise<void> {
    const { orderId: name } = input.order;
    const command = new StartExecutionCommand({
      ...{ stateMachineArn: this.#stateMachineArn, name, input: JSON.stringify(input) },
    });
    await this.#client.send(command).catch(unless('ExecutionAlreadyExists'));
  }

  async find(checkoutId: string): Promise<Execution | undefined> {
    const executionArn = `${this.#stateMachineArn.replace(':stateMachine:', ':execution:')}:${checkoutId}`;
    const described = await this.#client
      .send(new DescribeExecutionCommand({ executionArn }))
      .catch(unless('ExecutionDoesNotExist'));
    if (!described) return undefined;
    const states = await this.#visitedStates(executionArn);
    const { status, output } = described;
    return { status: String(status), ...(output !== undefined && { output: JSON.parse(output) }), states };
  }

  /** Reads only their names and times: inputs and outputs are personal. */
  async #visitedStates(executionArn: string): Promise<VisitedState[]> {
    const states: VisitedState[] = [];
    let nextToken: string | undefined;
    do {
      const page = await this.#client.send(
        new GetExecutionHistoryCommand({ executionArn, maxResults: 1000, includeExecutionData: false, nextToken }),
      );
      for (const { timestamp, stateEnteredEventDetails: entered, stateExitedEventDetails: exited } of page.events ??
        []) {
        const at = timestamp?.toISOString();
        if (at === undefined) continue;
        if (entered?.name !== undefined) states.push({ state: entered.name, enteredAt: at });
        const left = states.findLast(({ state }) => state === exited?.name);
        if (left) left.leftAt = at;
      }
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return states;
  }

  async answerApproval(taskToken: string, approved: boolean): Promise<boolean> {
    const command = approved
      ? new SendTaskSuccessCommand({ taskToken, output: '{}' })
      : new SendTaskFailureCommand({ taskToken, error: 'ApprovalRefused', cause: 'The order was not approved' });
    return (await this.#client.send(command).catch(unless('TaskTimedOut', 'TaskDoesNotExist'))) !== undefined;
  }
}

/** The executions of the state machine in MILLRACE_STATE_MACHINE. @throws ConfigurationError when it is not set */
export function stateMachineExecutionsFromEnvironment(): StateMachineExecutions {
  return new StateMachineExecutions(
    stepFunctions(),
    variableFrom('MILLRACE_STATE_MACHINE', 'the ARN of a state machine'),
  );
}
