export { backoffBound, equalJitter, fullJitter, type RetryOptions, retry } from './retry.ts';
export { beforeTimeLimit, TimeUpError, timeLeft, withinInvocation, withTimeLimit } from './time-limit.ts';
