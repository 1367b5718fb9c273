import { GetDurableExecutionCommand, InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { nextExecution } from '@millrace/steps';
import type { DeadLetter } from '../dead-letter.ts';
import type { FailedExecution } from '../execution-dead-letter.ts';
import { describe } from './move-dead-letters.ts';
import type { Outcome } from './outcome.ts';

/** The alias that osls gives each durable function, of its last version: what is wrong may be mended there. */
const ALIAS = 'durable';

/**
 * Starts the execution that goes on in place of one that has stopped, see `nextExecution`. With the same letter again it has started
 * already: its name and its input are the same.
 * @returns what came of it; never throws for what AWS does
 * @example await resumeDurable(letter, execution, clients.lambda, false);
 */
export async function resumeDurable(
  letter: DeadLetter,
  { executionArn, process }: FailedExecution,
  lambda: LambdaClient,
  dryRun: boolean,
): Promise<Outcome> {
  const left = (reason: string): Outcome => ({ letter, result: 'left', text: `left: ${reason}` });
  try {
    const stopped = await lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn: executionArn }));
    const { Status, InputPayload, Error: error, DurableExecutionName = '' } = stopped;
    if (Status === 'RUNNING' || Status === 'SUCCEEDED') {
      return { letter, result: 'done', text: `nothing to do: the execution is ${Status}` };
    }
    if (InputPayload === undefined) return left('Lambda does not tell its input');
    const input = JSON.parse(InputPayload) as object;
    const next = nextExecution({ name: DurableExecutionName, input, errorData: error?.ErrorData });
    if (dryRun) return { letter, result: 'done', text: `would be resumed, as another execution of ${process}` };
    const command = new InvokeCommand({
      FunctionName: `${process}:${ALIAS}`,
      InvocationType: 'Event',
      DurableExecutionName: next.name,
      Payload: Buffer.from(JSON.stringify(next.input)),
    });
    await lambda.send(command);
    return { letter, result: 'done', text: `resumed, as another execution of ${process}` };
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name === 'ResourceNotFoundException')
      return left('Lambda has forgotten the execution, or the function is gone');
    return { ...left(`Lambda did not answer: ${describe(error)}`), stop: true };
  }
}
