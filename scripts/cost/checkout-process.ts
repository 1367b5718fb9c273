import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import type { CountedProcess } from './order-mix.ts';

/**
 * Gives the functions of a running stage the variables that they would have with another `checkoutProcess` in serverless.stages.yml, which
 * are all that it changes.
 * @example await chooseProcess(runtime, { stage: 'prod', process: 'durable-checkouts' });
 */
export async function chooseProcess(
  { awsUrl }: { awsUrl: string },
  { stage, process }: { stage: string; process: CountedProcess },
): Promise<void> {
  if (process === 'orders' || process === 'reservations' || process === 'views') return;
  const credentials = { accessKeyId: 'cost', secretAccessKey: 'local' };
  const chosen = process === 'durable-checkouts' ? 'durable-function' : 'state-machine';
  const client = new LambdaClient({ endpoint: awsUrl, region: 'us-east-1', credentials });
  for (const name of ['postCheckout', 'onStartCheckout']) {
    const FunctionName = `millrace-checkout-${stage}-${name}`;
    const { Environment } = await client.send(new GetFunctionConfigurationCommand({ FunctionName }));
    const Variables = { ...Environment?.Variables, MILLRACE_CHECKOUT_PROCESS: chosen };
    await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }));
  }
  client.destroy();
}
