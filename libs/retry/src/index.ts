export { backoffBound, equalJitter, fullJitter, type RetryOptions, retry } from './retry.ts';
export { timeLeft, withTimeLimit } from './time-limit.ts';
