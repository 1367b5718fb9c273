export { backoffBound, equalJitter, fullJitter, type RetryOptions, retry } from './retry.ts';
export { timeLeft, withinInvocation, withTimeLimit } from './time-limit.ts';
