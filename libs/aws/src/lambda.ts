import { randomUUID } from 'node:crypto';
import type * as sdk from '@aws-sdk/client-lambda';
import type { ClientOptions } from './aws-client.ts';
import type { OutputOf, Sender } from './command.ts';
import { withDates } from './conversions.ts';
import { type HttpBinding, RestCommand, restProtocol, same } from './rest-protocol.ts';
import { createSender } from './sender.ts';

abstract class LambdaCommand<Input extends object, Output> extends RestCommand<'lambda', Input, OutputOf<Output>> {
  readonly service = 'lambda';
}

const EXECUTION = '/2025-12-01/durable-executions/{DurableExecutionArn}';
const CALLBACK = '/2025-12-01/durable-execution-callbacks/{CallbackId}';
/** The longest time that a function may take, and some for the way. */
const SYNCHRONOUS_MS = 910_000;

type InvokeInput = Omit<sdk.InvokeCommandInput, 'Payload'> & { Payload?: string | Uint8Array | undefined };
type InvokeOutput = Omit<sdk.InvokeCommandOutput, 'Payload'> & { Payload?: Buffer };

/**
 * Invokes a function. A function that fails does not throw here: see `FunctionError` in the output, and `Payload` for the reason.
 * With `InvocationType: 'Event'` it does not wait; with a `DurableExecutionName` a durable execution starts once:
 * `DurableExecutionAlreadyStartedException` says that it was started with another input.
 */
export class InvokeCommand extends LambdaCommand<InvokeInput, InvokeOutput> {
  readonly operation = 'Invoke';
  readonly http: HttpBinding = {
    method: 'POST',
    path: '/2015-03-31/functions/{FunctionName}/invocations',
    query: same('Qualifier'),
    headers: {
      InvocationType: 'x-amz-invocation-type',
      LogType: 'x-amz-log-type',
      ClientContext: 'x-amz-client-context',
      DurableExecutionName: 'x-amz-durable-execution-name',
      TenantId: 'x-amz-tenant-id',
    },
    payload: { member: 'Payload', is: 'bytes' },
    output: {
      headers: {
        FunctionError: 'x-amz-function-error',
        LogResult: 'x-amz-log-result',
        ExecutedVersion: 'x-amz-executed-version',
        DurableExecutionArn: 'x-amz-durable-execution-arn',
      },
      payload: 'Payload',
      statusCode: 'StatusCode',
    },
  };
  override readonly responseMs = isSynchronous(this.input) ? SYNCHRONOUS_MS : undefined;
}

function isSynchronous({ InvocationType = 'RequestResponse' }: InvokeInput): boolean {
  return InvocationType === 'RequestResponse';
}

export class GetDurableExecutionCommand extends LambdaCommand<
  sdk.GetDurableExecutionCommandInput,
  sdk.GetDurableExecutionCommandOutput
> {
  readonly operation = 'GetDurableExecution';
  readonly http: HttpBinding = { method: 'GET', path: EXECUTION, query: same('IncludeExecutionData') };
}

export class GetDurableExecutionHistoryCommand extends LambdaCommand<
  sdk.GetDurableExecutionHistoryCommandInput,
  sdk.GetDurableExecutionHistoryCommandOutput
> {
  readonly operation = 'GetDurableExecutionHistory';
  readonly http: HttpBinding = {
    method: 'GET',
    path: `${EXECUTION}/history`,
    query: same('IncludeExecutionData', 'MaxItems', 'Marker', 'ReverseOrder'),
  };
}

export class ListDurableExecutionsByFunctionCommand extends LambdaCommand<
  sdk.ListDurableExecutionsByFunctionCommandInput,
  sdk.ListDurableExecutionsByFunctionCommandOutput
> {
  readonly operation = 'ListDurableExecutionsByFunction';
  readonly http: HttpBinding = {
    method: 'GET',
    path: '/2025-12-01/functions/{FunctionName}/durable-executions',
    query: same(
      ...['Qualifier', 'DurableExecutionName', 'Statuses', 'StartedAfter', 'StartedBefore'],
      ...['ReverseOrder', 'Marker', 'MaxItems'],
    ),
  };
}

export class StopDurableExecutionCommand extends LambdaCommand<
  sdk.StopDurableExecutionCommandInput,
  sdk.StopDurableExecutionCommandOutput
> {
  readonly operation = 'StopDurableExecution';
  readonly http: HttpBinding = {
    method: 'POST',
    path: `${EXECUTION}/stop`,
    payload: { member: 'Error', is: 'document' },
  };
}

type CallbackSuccessInput = Omit<sdk.SendDurableExecutionCallbackSuccessCommandInput, 'Result'> & {
  Result?: string | Uint8Array | undefined;
};

/** Ends a callback that waits. `CallbackTimeoutException` says that it does not wait any more. */
export class SendDurableExecutionCallbackSuccessCommand extends LambdaCommand<
  CallbackSuccessInput,
  sdk.SendDurableExecutionCallbackSuccessCommandOutput
> {
  readonly operation = 'SendDurableExecutionCallbackSuccess';
  readonly http: HttpBinding = {
    method: 'POST',
    path: `${CALLBACK}/succeed`,
    payload: { member: 'Result', is: 'bytes' },
  };
}

/** As SendDurableExecutionCallbackSuccessCommand, with an error. */
export class SendDurableExecutionCallbackFailureCommand extends LambdaCommand<
  sdk.SendDurableExecutionCallbackFailureCommandInput,
  sdk.SendDurableExecutionCallbackFailureCommandOutput
> {
  readonly operation = 'SendDurableExecutionCallbackFailure';
  readonly http: HttpBinding = {
    method: 'POST',
    path: `${CALLBACK}/fail`,
    payload: { member: 'Error', is: 'document' },
  };
}

/** Lets a callback wait for another time of its heartbeat. */
export class SendDurableExecutionCallbackHeartbeatCommand extends LambdaCommand<
  sdk.SendDurableExecutionCallbackHeartbeatCommandInput,
  sdk.SendDurableExecutionCallbackHeartbeatCommandOutput
> {
  readonly operation = 'SendDurableExecutionCallbackHeartbeat';
  readonly http: HttpBinding = { method: 'POST', path: `${CALLBACK}/heartbeat` };
}

/** Of the durable function itself: reads what it has done. */
export class GetDurableExecutionStateCommand extends LambdaCommand<
  sdk.GetDurableExecutionStateCommandInput,
  sdk.GetDurableExecutionStateCommandOutput
> {
  readonly operation = 'GetDurableExecutionState';
  readonly http: HttpBinding = {
    method: 'GET',
    path: `${EXECUTION}/state`,
    query: same('CheckpointToken', 'Marker', 'MaxItems'),
  };
}

/**
 * Of the durable function itself: stores what it has done. With a token of the client unless there is one, by which Lambda recognises
 * a checkpoint that is sent again after its answer was lost.
 */
export class CheckpointDurableExecutionCommand extends LambdaCommand<
  sdk.CheckpointDurableExecutionCommandInput,
  sdk.CheckpointDurableExecutionCommandOutput
> {
  readonly operation = 'CheckpointDurableExecution';
  readonly http: HttpBinding = { method: 'POST', path: `${EXECUTION}/checkpoint` };

  constructor({ ClientToken = randomUUID(), ...input }: sdk.CheckpointDurableExecutionCommandInput) {
    super({ ...input, ClientToken });
  }
}

export type Lambda = Sender<'lambda', { readonly http: HttpBinding }>;

/**
 * A client for the durable executions of Lambda, and for invocations.
 *
 * @param options as of `documentClient`
 * @example
 * const { FunctionError, Payload } = await lambda().send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(input) }));
 */
export function lambda(options?: ClientOptions): Lambda {
  return createSender(
    { name: 'lambda', protocol: restProtocol, endpointVariable: 'AWS_ENDPOINT_URL_LAMBDA' },
    options,
    { output: withDates((member) => member.endsWith('Timestamp')) },
  );
}

/** The pages of an execution's history, from the first one on. */
export async function* paginateDurableExecutionHistory(
  client: Lambda,
  input: sdk.GetDurableExecutionHistoryCommandInput,
): AsyncGenerator<GetDurableExecutionHistoryCommand['output']> {
  let Marker = input.Marker;
  do {
    const page = await client.send(new GetDurableExecutionHistoryCommand({ ...input, Marker }));
    yield page;
    Marker = page.NextMarker;
  } while (Marker);
}
