import { durableLimits, lambdaLimits } from '@millrace/events/aws-limits';
import type { InvocationResult } from '../function-pool.ts';
import type { ErrorObject, Execution } from './execution-state.ts';

/** What an invocation of a durable function has come to. */
export type InvocationOutcome =
  | { status: 'PENDING' }
  | { status: 'SUCCEEDED'; result: string | undefined }
  | { status: 'FAILED'; error: ErrorObject }
  /** The function has ended without an answer, and is invoked again. */
  | { status: 'RETRY'; error: ErrorObject };

/**
 * Reads what an invocation has come to.
 * @param isWaiting whether the execution waits for something
 */
export function readOutcome(
  { payload, functionError }: Pick<InvocationResult, 'payload' | 'functionError'>,
  { isAsynchronous }: Pick<Execution, 'isAsynchronous'>,
  isWaiting: boolean,
): InvocationOutcome {
  if (functionError !== undefined) return { status: 'RETRY', error: errorOfPayload(payload) };
  const answer = JSON.parse(payload) as { Status?: unknown; Result?: unknown; Error?: ErrorObject } | null;
  switch (answer?.Status) {
    case 'PENDING':
      return isWaiting ? { status: 'PENDING' } : refused('Cannot return PENDING status with no pending operations.');
    case 'SUCCEEDED': {
      if (answer.Error) return refused('Cannot provide an Error for SUCCEEDED status.');
      const result = answer.Result === undefined || answer.Result === null ? undefined : String(answer.Result);
      const limit = executionPayloadBytes(isAsynchronous);
      if (result !== undefined && Buffer.byteLength(result) > limit) {
        return refused(`EXECUTION output payload size must be less than or equal to ${limit} bytes.`);
      }
      return { status: 'SUCCEEDED', result };
    }
    case 'FAILED':
      if (answer.Result !== undefined && answer.Result !== null) {
        return refused('Cannot provide a Result for FAILED status.');
      }
      return { status: 'FAILED', error: answer.Error ?? {} };
    default:
      return refused('Invalid Status in invocation output.');
  }
}

/** Of input and result. https://docs.aws.amazon.com/lambda/latest/api/API_OperationUpdate.html */
export function executionPayloadBytes(isAsynchronous: boolean): number {
  return isAsynchronous ? durableLimits.operationPayloadBytes : lambdaLimits.payloadBytes;
}

function refused(ErrorMessage: string): InvocationOutcome {
  return { status: 'FAILED', error: { ErrorType: 'InvalidParameterValueException', ErrorMessage } };
}

/** What a function that has failed answers, as an error of a durable execution. */
export function errorOfPayload(payload: string): ErrorObject {
  const { errorType, errorMessage, trace } = JSON.parse(payload) as {
    errorType?: string;
    errorMessage?: string;
    trace?: string[];
  };
  return {
    ...(errorType !== undefined && { ErrorType: errorType }),
    ...(errorMessage !== undefined && { ErrorMessage: errorMessage }),
    ...(trace !== undefined && { StackTrace: trace }),
  };
}

/** The other way round: what a caller that waits for an execution gets when it fails. */
export function payloadOfError({ ErrorType, ErrorMessage, StackTrace, ErrorData }: ErrorObject): string {
  return JSON.stringify({ errorType: ErrorType, errorMessage: ErrorMessage, trace: StackTrace, errorData: ErrorData });
}
