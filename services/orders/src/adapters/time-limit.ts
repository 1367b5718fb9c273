import { ConfigurationError } from '@millrace/errors';

/**
 * How long an order may take, from when it is placed until it is confirmed or cancelled, in ms.
 *
 * @throws ConfigurationError when MILLRACE_ORDER_TIME_LIMIT_SECONDS is not a whole number of at least 1
 * @example const deadline = new Date(Date.now() + timeLimitFromEnvironment());
 */
export function timeLimitFromEnvironment({ MILLRACE_ORDER_TIME_LIMIT_SECONDS: seconds = '' } = process.env): number {
  if (!/^[1-9]\d{0,6}$/.test(seconds)) {
    throw new ConfigurationError('MILLRACE_ORDER_TIME_LIMIT_SECONDS', 'a whole number of seconds, at least 1');
  }
  return Number(seconds) * 1000;
}
