import type * as sdk from '@aws-sdk/client-sfn';
import type { ClientOptions } from './aws-client.ts';
import { Command, type OutputOf, type Sender } from './command.ts';
import { withDates } from './conversions.ts';
import { jsonProtocol } from './protocol.ts';
import { createSender } from './sender.ts';

abstract class StepFunctionsCommand<Input extends object, Output> extends Command<'states', Input, OutputOf<Output>> {
  readonly service = 'states';
}

/** Starts an execution. With a name it starts once: `ExecutionAlreadyExists` says that it was started before. */
export class StartExecutionCommand extends StepFunctionsCommand<
  sdk.StartExecutionCommandInput,
  sdk.StartExecutionCommandOutput
> {
  readonly operation = 'StartExecution';
}

export class DescribeExecutionCommand extends StepFunctionsCommand<
  sdk.DescribeExecutionCommandInput,
  sdk.DescribeExecutionCommandOutput
> {
  readonly operation = 'DescribeExecution';
}

export class GetExecutionHistoryCommand extends StepFunctionsCommand<
  sdk.GetExecutionHistoryCommandInput,
  sdk.GetExecutionHistoryCommandOutput
> {
  readonly operation = 'GetExecutionHistory';
}

/** Resumes an execution that has failed, at the state that failed. */
export class RedriveExecutionCommand extends StepFunctionsCommand<
  sdk.RedriveExecutionCommandInput,
  sdk.RedriveExecutionCommandOutput
> {
  readonly operation = 'RedriveExecution';
}

/** Ends a task that waits for its token. `TaskTimedOut` says that it does not wait any more. */
export class SendTaskSuccessCommand extends StepFunctionsCommand<
  sdk.SendTaskSuccessCommandInput,
  sdk.SendTaskSuccessCommandOutput
> {
  readonly operation = 'SendTaskSuccess';
}

/** As SendTaskSuccessCommand, with an error that a state may catch. */
export class SendTaskFailureCommand extends StepFunctionsCommand<
  sdk.SendTaskFailureCommandInput,
  sdk.SendTaskFailureCommandOutput
> {
  readonly operation = 'SendTaskFailure';
}

export type StepFunctions = Sender<'states'>;

/**
 * A client for Step Functions.
 *
 * @param options as of `documentClient`
 * @example await stepFunctions().send(new StartExecutionCommand({ stateMachineArn, name: orderId, input: '{}' }));
 */
export function stepFunctions(options?: ClientOptions): StepFunctions {
  return createSender(
    { name: 'states', protocol: jsonProtocol('AWSStepFunctions', '1.0'), endpointVariable: 'AWS_ENDPOINT_URL_SFN' },
    options,
    { output: withDates((member) => /Date$|^timestamp$/.test(member)) },
  );
}
