export { backoffBound, fullJitter, type RetryOptions, retry } from './retry.ts';
export { timeLeft, withTimeLimit } from './time-limit.ts';
