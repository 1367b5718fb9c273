import { AwsError } from '../../core/aws-error.ts';
import type { Host } from '../../core/service.ts';
import { events } from '../events/index.ts';
import { lambda } from '../lambda/index.ts';
import { type HttpParameters, kindOf, type Pipe } from './pipe.ts';

/** What a pipe calls, with the permissions of its role. */
export interface PipeCalls {
  /**
   * Calls an operation of a service.
   * @throws AwsError
   */
  call(service: string, operation: string, input: Record<string, unknown>): Promise<unknown>;
  /**
   * Calls a function, an Express state machine or an API destination, and waits for its answer.
   * @returns the answer as text
   * @throws Error of the function, the execution or the endpoint; AwsError for what is not there or may not be called
   */
  ask(arn: string, payload: string, http?: HttpParameters): Promise<string>;
  /** Starts a function or a state machine. @throws AwsError, DeliveryError */
  start(arn: string, payload: string): Promise<void>;
}

/** The calls of one pipe. */
export function callsOf({ Arn, RoleArn }: Pick<Pipe, 'Arn' | 'RoleArn'>, host: Host): PipeCalls {
  const sender = { service: 'pipes.amazonaws.com', sourceArn: Arn, roleArn: RoleArn };
  const call: PipeCalls['call'] = (service, operation, input) =>
    host.call({ service, operation, input, roleArn: RoleArn, sourceArn: Arn });
  const require = (action: string, resource: string): void => {
    const refusal = host.authorizer.findSenderRefusal(sender, { action, resource });
    if (refusal) throw new AwsError('AccessDeniedException', refusal.message, 403);
  };
  const askFunction = async (arn: string, payload: string): Promise<string> => {
    require('lambda:InvokeFunction', arn);
    const functions = host.handleOf(lambda);
    if (!functions.isThere(arn)) throw new AwsError('ResourceNotFoundException', `Function not found: ${arn}`, 404);
    const { result } = await functions.invoke(arn, requireJson(payload));
    if (result.functionError) throw new Error(`${arn} failed: ${result.functionError}`);
    return result.payload;
  };
  const askMachine = async (stateMachineArn: string, input: string): Promise<string> => {
    const answer = await call('states', 'StartSyncExecution', { stateMachineArn, input });
    const { status, output, error } = answer as { status?: string; output?: string; error?: string };
    if (status !== 'SUCCEEDED') throw new Error(`The execution of ${stateMachineArn} is ${status}: ${error ?? ''}`);
    return output ?? '';
  };
  return {
    call,
    ask: async (arn, payload, httpParameters) => {
      switch (kindOf(arn)) {
        case 'lambda':
          return askFunction(arn, payload);
        case 'states':
          return askMachine(arn, payload);
        default:
          require('events:InvokeApiDestination', arn);
          return host.handleOf(events).invoke(arn, payload, { httpParameters });
      }
    },
    start: async (arn, payload) => {
      if (kindOf(arn) === 'states') await call('states', 'StartExecution', { stateMachineArn: arn, input: payload });
      else await host.deliver(arn, requireJson(payload), { sender });
    },
  };
}

/** @throws Error for a payload that Lambda does not take */
function requireJson(payload: string): string {
  try {
    JSON.parse(payload);
    return payload;
  } catch {
    throw new Error('Could not parse request body into json');
  }
}
