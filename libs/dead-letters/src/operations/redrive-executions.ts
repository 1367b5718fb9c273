import type { LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeExecutionCommand, RedriveExecutionCommand, type StepFunctions } from '@millrace/aws';
import { MAX_BATCH_ENTRIES } from '../batches.ts';
import type { DeadLetter } from '../dead-letter.ts';
import { failedExecutionOf } from '../execution-dead-letter.ts';
import { type DrainSummary, drain } from './drain.ts';
import type { Look } from './look.ts';
import { describe, remove } from './move-dead-letters.ts';
import type { Outcome } from './outcome.ts';
import type { Operation } from './redrive.ts';
import { resumeDurable } from './resume-durable.ts';
import type { StageQueue } from './stage-queues.ts';

/**
 * True for the queue of a service's failed executions.
 * @example isExecutionQueue({ name: 'millrace-checkout-dev-executions-dlq' }, 'dev') // true
 */
export function isExecutionQueue({ name }: Pick<StageQueue, 'name'>, stage: string): boolean {
  return name.startsWith('millrace-') && name.endsWith(`-${stage}-executions-dlq`);
}

/** What executions are resumed by. */
export interface ExecutionClients {
  states: StepFunctions;
  lambda: LambdaClient;
}

/**
 * Resumes the executions that letters name, each at the state that failed, and deletes the letters. In place of one of a durable function
 * another one goes on. An execution that has
 * gone on or ended since its letter was written needs nothing more: a redrive whose letter could not be deleted is not repeated.
 * @returns what came of it; never throws for what AWS does, see `problem`
 * @example await redriveExecutions(operation, { states: operatorStepFunctions(), lambda: clients.lambda });
 * https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
 */
export async function redriveExecutions(operation: Operation, clients: ExecutionClients): Promise<DrainSummary> {
  const { sqs, queue, dryRun = false } = operation;
  return drain(sqs, queue, operation, MAX_BATCH_ENTRIES, async (letters, look) => {
    const outcomes: Outcome[] = [];
    for (const letter of letters) {
      const outcome = await resume(letter, clients, dryRun);
      outcomes.push(outcome.result === 'done' && !dryRun ? await withoutLetter(outcome, look) : outcome);
      if (outcome.stop) break;
    }
    return outcomes;
  });
}

async function resume(letter: DeadLetter, { states, lambda }: ExecutionClients, dryRun: boolean): Promise<Outcome> {
  const left = (reason: string): Outcome => ({ letter, result: 'left', text: `left: ${reason}` });
  const execution = failedExecutionOf(parsed(letter.body));
  if (!execution) return left('it does not name an execution');
  if (execution.kind === 'durable function') return resumeDurable(letter, execution, lambda, dryRun);
  const { executionArn } = execution;
  try {
    const { status, redriveStatus, redriveStatusReason } = await states.send(
      new DescribeExecutionCommand({ executionArn }),
    );
    if (status === 'RUNNING' || status === 'PENDING_REDRIVE' || status === 'SUCCEEDED') {
      return { letter, result: 'done', text: `nothing to do: the execution is ${status} already` };
    }
    if (redriveStatus !== 'REDRIVABLE') return left(`it cannot be resumed: ${redriveStatusReason ?? redriveStatus}`);
    if (dryRun) return { letter, result: 'done', text: `would be resumed, as an execution of ${execution.process}` };
    await states.send(new RedriveExecutionCommand({ executionArn, clientToken: letter.messageId }));
    return { letter, result: 'done', text: `resumed, as an execution of ${execution.process}` };
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name === 'ExecutionDoesNotExist') return left('Step Functions has forgotten the execution');
    if (name === 'ExecutionNotRedrivable') return left(`it cannot be resumed: ${describe(error)}`);
    return { ...left(`Step Functions did not answer: ${describe(error)}`), stop: true };
  }
}

async function withoutLetter(outcome: Outcome, look: Look): Promise<Outcome> {
  const problem = (await remove(look, [outcome.letter])).get(outcome.letter);
  if (problem === undefined) return outcome;
  const text = `${outcome.text}; but the letter is still in its queue: ${problem}`;
  return { ...outcome, result: 'failed', text, stop: true };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
