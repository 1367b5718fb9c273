import { compact, type Json, type JsonObject } from '@millrace/states-language';
import type { TaskOutcome } from '../engine/execution-state.ts';

/**
 * What a task that has waited for another execution ends with.
 * @param description as DescribeExecution tells it
 * @param isParsed input and output are JSON, not text: `.sync:2`
 * https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
 */
export function outcomeOfExecution(description: JsonObject, isParsed: boolean): TaskOutcome {
  const { executionArn, stateMachineArn, name, status, startDate, stopDate, input, output, error, cause } = description;
  const { redriveCount, redriveStatus, redriveStatusReason } = description;
  const data = (value: Json | undefined): Json | undefined =>
    isParsed && typeof value === 'string' ? (JSON.parse(value) as Json) : value;
  const told = compact({
    ...{
      Cause: cause,
      Error: error,
      ExecutionArn: executionArn,
      Input: data(input),
      InputDetails: { Included: true },
      Name: name,
    },
    ...{ Output: data(output), OutputDetails: output === undefined ? undefined : { Included: true } },
    ...{ RedriveCount: redriveCount, RedriveStatus: redriveStatus, RedriveStatusReason: redriveStatusReason },
    ...{
      StartDate: milliseconds(startDate),
      StateMachineArn: stateMachineArn,
      Status: status,
      StopDate: milliseconds(stopDate),
    },
  });
  if (status === 'SUCCEEDED') return { output: told };
  return { error: 'States.TaskFailed', cause: JSON.stringify(told) };
}

function milliseconds(seconds: Json | undefined): number | undefined {
  return typeof seconds === 'number' ? Math.round(seconds * 1000) : undefined;
}
