import { GetDurableExecutionCommand, GetDurableExecutionHistoryCommand } from '@aws-sdk/client-lambda';
import { GetExecutionHistoryCommand } from '@millrace/aws';
import { shownIdentifier } from '@millrace/privacy';
import type { DeadLetter } from '../dead-letter.ts';
import { failedExecutionOf } from '../execution-dead-letter.ts';
import { describe } from './move-dead-letters.ts';
import type { ExecutionClients } from './redrive-executions.ts';

/** Where an execution has stopped, and by which error. An error's message may hold personal data, and is not told. */
export interface StoppedState {
  state: string;
  /** The error's name; absent when an operator has stopped it. */
  error?: string;
}

/** The names that a service has for a state and an error. */
interface Named {
  state: string | undefined;
  error: string | undefined;
}

/**
 * Asks Step Functions, or Lambda, at which state the execution of a letter has stopped.
 *
 * @returns the state, or what kept the service from telling; undefined for a letter that is not about an execution
 * @example await stoppedState(letter, { states: operatorStepFunctions(), lambda }); // { state: 'ReleaseInventory', error: 'SchemaViolationError' }
 */
export async function stoppedState(
  { body, origin }: Pick<DeadLetter, 'body' | 'origin'>,
  { states, lambda }: ExecutionClients,
): Promise<StoppedState | { problem: string } | undefined> {
  const execution = origin === 'execution' ? failedExecutionOf(JSON.parse(body)) : undefined;
  if (!execution) return undefined;
  const { kind, executionArn } = execution;
  try {
    const { state, error } =
      kind === 'state machine' ? await lastState(executionArn, states) : await lastOperation(executionArn, lambda);
    if (state === undefined) return { problem: 'it had entered no state' };
    return { state: shownIdentifier(state), ...(error !== undefined && { error: shownIdentifier(error) }) };
  } catch (cause) {
    return { problem: describe(cause) };
  }
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html */
async function lastState(executionArn: string, states: ExecutionClients['states']): Promise<Named> {
  let error: string | undefined;
  let nextToken: string | undefined;
  do {
    const { events = [], nextToken: next } = await states.send(
      new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, includeExecutionData: false, nextToken }),
    );
    for (const { executionFailedEventDetails, executionTimedOutEventDetails, stateEnteredEventDetails } of events) {
      error ??= executionFailedEventDetails?.error ?? executionTimedOutEventDetails?.error;
      if (stateEnteredEventDetails?.name !== undefined) return { state: stateEnteredEventDetails.name, error };
    }
    nextToken = next;
  } while (nextToken !== undefined);
  return { state: undefined, error };
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_GetDurableExecutionHistory.html */
async function lastOperation(DurableExecutionArn: string, lambda: ExecutionClients['lambda']): Promise<Named> {
  const { Error: failure } = await lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn }));
  const error = failure?.ErrorType;
  let Marker: string | undefined;
  do {
    const { Events = [], NextMarker } = await lambda.send(
      new GetDurableExecutionHistoryCommand({
        ...{ DurableExecutionArn, ReverseOrder: true, IncludeExecutionData: false, Marker },
      }),
    );
    for (const { EventType, Name } of Events) {
      if (EventType === 'ChainedInvokeStarted' || EventType === 'CallbackStarted') return { state: Name, error };
    }
    Marker = NextMarker;
  } while (Marker);
  return { state: undefined, error };
}
