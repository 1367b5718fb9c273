import type { Access } from '@millrace/iam-policy';
import type { ArnOf, Input } from '../../core/access.ts';
import { parseCallbackId } from './durable/arns.ts';
import { parseFunctionIdentifier } from './function-identifier.ts';

/** Operations whose permission has another name. */
const ACTIONS: Readonly<Record<string, string>> = { Invoke: 'InvokeFunction' };

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html */
export function lambdaAccess(operation: string, input: Input, arn: ArnOf): readonly Access[] | undefined {
  const action = `lambda:${ACTIONS[operation] ?? operation}`;
  const { FunctionName, UUID, Qualifier } = input;
  switch (operation) {
    case 'ListFunctions':
    case 'ListEventSourceMappings':
    case 'CreateEventSourceMapping':
      return [{ action, resource: '*' }];
    case 'GetEventSourceMapping':
    case 'UpdateEventSourceMapping':
    case 'DeleteEventSourceMapping':
      return [{ action, resource: arn('lambda', `event-source-mapping:${UUID}`) }];
    case 'Invoke':
    case 'UpdateFunctionConfiguration':
    case 'PublishVersion':
    case 'ListVersionsByFunction':
    case 'CreateAlias':
    case 'ListAliases':
    case 'GetAlias':
    case 'UpdateAlias':
    case 'DeleteAlias':
    case 'PutFunctionConcurrency':
    case 'DeleteFunctionConcurrency':
    case 'GetFunctionConcurrency':
    case 'GetFunction':
    case 'GetFunctionConfiguration':
    case 'PutFunctionEventInvokeConfig':
    case 'UpdateFunctionEventInvokeConfig':
    case 'GetFunctionEventInvokeConfig':
    case 'DeleteFunctionEventInvokeConfig':
    case 'ListFunctionEventInvokeConfigs':
    case 'ListDurableExecutionsByFunction': {
      const { name, qualifier = Qualifier } = parseFunctionIdentifier(String(FunctionName));
      return [{ action, resource: arn('lambda', `function:${name}${qualifier === undefined ? '' : `:${qualifier}`}`) }];
    }
    case 'CheckpointDurableExecution':
    case 'GetDurableExecutionState':
    case 'GetDurableExecution':
    case 'GetDurableExecutionHistory':
    case 'StopDurableExecution':
      return [{ action, resource: String(input.DurableExecutionArn) }];
    case 'SendDurableExecutionCallbackSuccess':
    case 'SendDurableExecutionCallbackFailure':
    case 'SendDurableExecutionCallbackHeartbeat':
      return [{ action, resource: parseCallbackId(input.CallbackId).executionArn }];
    case 'ListTags':
    case 'TagResource':
    case 'UntagResource':
      return [{ action, resource: String(input.Resource) }];
    default:
      return undefined;
  }
}
