import type { Aws } from './aws.ts';

/**
 * Gives the functions of a running system the variables of a stage with this `checkoutProcess`. They are the only difference between the
 * templates of both choices.
 * @returns gives them back what they had
 * @example const chooseAgain = await chooseCheckoutProcess(aws, 'durable-function');
 */
export async function chooseCheckoutProcess(
  aws: Aws,
  process: 'state-machine' | 'durable-function',
): Promise<() => Promise<void>> {
  const backs = await Promise.all(
    ['postCheckout', 'requestCheckouts', 'onStartCheckout'].map((name) =>
      aws.setVariable('checkout', name, 'MILLRACE_CHECKOUT_PROCESS', process),
    ),
  );
  return async () => void (await Promise.all(backs.map((back) => back())));
}
