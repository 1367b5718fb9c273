import { type LambdaClient, paginateListFunctions, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';

const VARIABLE = 'MILLRACE_CHECKOUT_PROCESS';

/**
 * Gives the functions of a running stage the variable that they would have with another `checkoutProcess` in serverless.stages.yml, which
 * is all that it changes.
 * @returns gives them back what they had
 * @example const chooseAgain = await chooseCheckoutProcess(lambda, 'durable-function');
 */
export async function chooseCheckoutProcess(
  client: LambdaClient,
  process: 'state-machine' | 'durable-function',
): Promise<() => Promise<void>> {
  const backs: (() => Promise<void>)[] = [];
  for await (const { Functions = [] } of paginateListFunctions({ client }, {})) {
    for (const { FunctionName, Environment } of Functions) {
      const { Variables } = Environment ?? {};
      if (Variables?.[VARIABLE] === undefined) continue;
      const set = async (value: string) => {
        const changed = { Variables: { ...Variables, [VARIABLE]: value } };
        await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: changed }));
      };
      const before = Variables[VARIABLE];
      await set(process);
      backs.push(() => set(before));
    }
  }
  return async () => void (await Promise.all(backs.map((back) => back())));
}
