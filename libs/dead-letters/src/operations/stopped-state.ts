import { GetExecutionHistoryCommand, type StepFunctions } from '@millrace/aws';
import { shownIdentifier } from '@millrace/privacy';
import type { DeadLetter } from '../dead-letter.ts';
import { failedExecutionOf } from '../execution-dead-letter.ts';
import { describe } from './move-dead-letters.ts';

/** Where an execution has stopped, and by which error. An error's message may hold personal data, and is not told. */
export interface StoppedState {
  state: string;
  /** The error's name; absent when an operator has stopped it. */
  error?: string;
}

/**
 * Asks Step Functions at which state the execution of a letter has stopped.
 *
 * @returns the state, or what kept Step Functions from telling; undefined for a letter that is not about an execution of a state machine
 * @example await stoppedState(letter, operatorStepFunctions()); // { state: 'ReleaseInventory', error: 'SchemaViolationError' }
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html
 */
export async function stoppedState(
  { body, origin }: Pick<DeadLetter, 'body' | 'origin'>,
  states: StepFunctions,
): Promise<StoppedState | { problem: string } | undefined> {
  const executionArn = origin === 'execution' ? failedExecutionOf(JSON.parse(body))?.executionArn : undefined;
  if (executionArn?.split(':')[2] !== 'states') return undefined;
  let error: string | undefined;
  let nextToken: string | undefined;
  try {
    do {
      const { events = [], nextToken: next } = await states.send(
        new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, includeExecutionData: false, nextToken }),
      );
      for (const { executionFailedEventDetails, executionTimedOutEventDetails, stateEnteredEventDetails } of events) {
        error ??= executionFailedEventDetails?.error ?? executionTimedOutEventDetails?.error;
        if (stateEnteredEventDetails?.name === undefined) continue;
        const state = shownIdentifier(stateEnteredEventDetails.name);
        return { state, ...(error !== undefined && { error: shownIdentifier(error) }) };
      }
      nextToken = next;
    } while (nextToken !== undefined);
    return { problem: 'it had entered no state' };
  } catch (cause) {
    return { problem: describe(cause) };
  }
}
