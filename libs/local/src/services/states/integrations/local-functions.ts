import { AwsError } from '../../../core/aws-error.ts';
import { DeliveryError } from '../../../core/delivery.ts';
import type { Host } from '../../../core/service.ts';
import { parseFunctionIdentifier } from '../../lambda/function-identifier.ts';
import { lambda } from '../../lambda/index.ts';
import type { InvokeFunction } from './lambda.ts';

/** Calls functions of this cloud, if the execution role may. */
export function functionsOf(host: Host): InvokeFunction {
  const { region, accountId } = host;
  return async (functionName, payload, { roleArn, sourceArn, isAsynchronous = false }) => {
    const { name, qualifier } = parseFunctionIdentifier(functionName);
    const functionArn = `arn:aws:lambda:${region}:${accountId}:function:${name}`;
    const resource = qualifier === undefined ? functionArn : `${functionArn}:${qualifier}`;
    const sender = { service: 'states.amazonaws.com', sourceArn, roleArn };
    const missing = () =>
      new AwsError('ResourceNotFoundException', `Function not found: ${functionArn}:${qualifier ?? '$LATEST'}`, 404);
    if (isAsynchronous) {
      await host.deliver(resource, payload, { sender }).catch((error: unknown) => {
        if (!(error instanceof DeliveryError)) throw error;
        throw error.code === 'NO_RESOURCE' ? missing() : new AwsError('AccessDeniedException', error.message, 403);
      });
      return { payload: '' };
    }
    const refusal = host.authorizer.findSenderRefusal(sender, { action: 'lambda:InvokeFunction', resource });
    if (refusal) throw new AwsError('AccessDeniedException', refusal.message, 403);
    const functions = host.handleOf(lambda);
    if (!functions.isThere(resource)) throw missing();
    const { result } = await functions.invoke(resource, payload);
    return { payload: result.payload, functionError: result.functionError };
  };
}
