import type { JsonObject } from '@millrace/states-language';
import type { ExecutionState, Thread } from './execution-state.ts';

/** A time as the context object has it. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/**
 * The context object of a state.
 * @param isRecoverable the state has a retry count
 * @param item of the iteration that it is part of
 * https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
 */
export function contextOf(
  execution: ExecutionState,
  thread: Thread,
  { isRecoverable, item, token }: { isRecoverable: boolean; item: Thread['item']; token: string | null },
): JsonObject {
  const state: JsonObject = { Name: thread.state, EnteredTime: isoTime(thread.enteredAt) };
  if (isRecoverable) state.RetryCount = thread.retryCount;
  const context: JsonObject = {
    Execution: executionContext(execution),
    StateMachine: { Id: execution.machineArn, Name: execution.machineName },
    State: state,
  };
  if (item) context.Map = { Item: { Index: item.Index, Value: item.Value } };
  if (token !== null) context.Task = { Token: token };
  return context;
}

function executionContext({
  arn,
  input,
  startedAt,
  name,
  roleArn,
  type,
  redriveCount,
  redrivenAt,
}: ExecutionState): JsonObject {
  const context: JsonObject = { Id: arn, Input: input, StartTime: isoTime(startedAt), Name: name, RoleArn: roleArn };
  if (type === 'STANDARD') context.RedriveCount = redriveCount;
  if (redrivenAt !== null) context.RedriveTime = isoTime(redrivenAt);
  return context;
}
