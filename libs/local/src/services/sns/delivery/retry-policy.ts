import { snsLimits } from '../limits.ts';

/** How often and when a delivery is tried again, after the attempt that failed. */
export interface RetryPolicy {
  minDelayTarget: number;
  maxDelayTarget: number;
  numRetries: number;
  numNoDelayRetries: number;
  numMinDelayRetries: number;
  numMaxDelayRetries: number;
  backoffFunction: 'arithmetic' | 'exponential' | 'geometric' | 'linear';
}

/** Of queues and functions: 100,015 attempts in 23 days. https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html */
export const managedEndpoints: RetryPolicy = {
  minDelayTarget: 1,
  maxDelayTarget: 20,
  numRetries: 100_015,
  numNoDelayRetries: 3,
  numMinDelayRetries: 2,
  numMaxDelayRetries: 100_000,
  backoffFunction: 'exponential',
};

/** Of HTTP endpoints without a policy of their own. */
export const httpEndpoints: RetryPolicy = {
  minDelayTarget: 20,
  maxDelayTarget: 20,
  numRetries: 3,
  numNoDelayRetries: 0,
  numMinDelayRetries: 0,
  numMaxDelayRetries: 0,
  backoffFunction: 'linear',
};

/**
 * Milliseconds to wait after a number of failed attempts; undefined after the last attempt.
 * The phases follow each other: without delay, with the smallest, with growing delays, and with the largest.
 *
 * @example retryDelay(httpEndpoints, 1) // 20_000
 */
export function retryDelay(policy: RetryPolicy, failures: number): number | undefined {
  const { numRetries, numNoDelayRetries, numMinDelayRetries, numMaxDelayRetries, minDelayTarget, maxDelayTarget } =
    policy;
  if (failures > numRetries) return undefined;
  if (failures <= numNoDelayRetries) return 0;
  const growing = numRetries - numNoDelayRetries - numMinDelayRetries - numMaxDelayRetries;
  const step = failures - numNoDelayRetries - numMinDelayRetries;
  if (step <= 0) return minDelayTarget * 1000;
  if (step > growing) return maxDelayTarget * 1000;
  const progress = growing === 1 ? 0 : (step - 1) / (growing - 1);
  return Math.round(1000 * (minDelayTarget + (maxDelayTarget - minDelayTarget) * grown(policy, progress, growing)));
}

/** How far a delay is from the smallest to the largest. AWS names the functions, and does not give their formulas. */
function grown(
  { backoffFunction, minDelayTarget: min, maxDelayTarget: max }: RetryPolicy,
  progress: number,
  steps: number,
): number {
  switch (backoffFunction) {
    case 'linear':
      return progress;
    case 'arithmetic':
      return (progress * (progress + 1)) / 2;
    case 'exponential':
      return steps === 1 ? 0 : (2 ** (progress * (steps - 1)) - 1) / (2 ** (steps - 1) - 1);
    case 'geometric':
      return max === min || min === 0 ? progress : (min * (max / min) ** progress - min) / (max - min);
  }
}

const functions = new Set(['arithmetic', 'exponential', 'geometric', 'linear']);
const whole = ['numRetries', 'numNoDelayRetries', 'numMinDelayRetries', 'numMaxDelayRetries'] as const;

/**
 * Completes the `healthyRetryPolicy` of a delivery policy.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html#creating-delivery-policy
 * @throws Error with the reason why it is not valid
 */
export function readRetryPolicy(value: unknown): RetryPolicy {
  if (typeof value !== 'object' || value === null) throw new Error('healthyRetryPolicy must be an object');
  const policy = { ...httpEndpoints, ...value } as RetryPolicy;
  const unknown = Object.keys(policy).find((name) => !Object.hasOwn(httpEndpoints, name));
  if (unknown !== undefined) throw new Error(`Unexpected JSON member: healthyRetryPolicy.${unknown}`);
  for (const name of [...whole, 'minDelayTarget', 'maxDelayTarget'] as const) {
    if (!Number.isInteger(policy[name]) || policy[name] < 0) throw new Error(`${name} must be a whole number`);
  }
  if (policy.numRetries > 100) throw new Error('numRetries must be at most 100');
  if (
    policy.minDelayTarget < 1 ||
    policy.minDelayTarget > policy.maxDelayTarget ||
    policy.maxDelayTarget > snsLimits.httpRetrySeconds
  ) {
    throw new Error('minDelayTarget must be at least 1 and at most maxDelayTarget, which is at most 3600');
  }
  if (policy.numNoDelayRetries + policy.numMinDelayRetries + policy.numMaxDelayRetries > policy.numRetries) {
    throw new Error('numRetries must be at least the number of retries of all phases');
  }
  if (!functions.has(policy.backoffFunction))
    throw new Error('backoffFunction must be arithmetic, exponential, geometric or linear');
  let total = 0;
  for (let retry = 1; retry <= policy.numRetries; retry += 1) total += retryDelay(policy, retry) ?? 0;
  if (total > snsLimits.httpRetrySeconds * 1000)
    throw new Error('the total policy retry time must be at most 3600 seconds');
  return policy;
}
