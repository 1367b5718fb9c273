import { ConfigurationError, variableFrom } from '@millrace/errors';

/**
 * For how many days something is kept that has the marks of events.
 * @param name of the environment variable
 * @throws ConfigurationError when it is not set, and for less time than an event may come again
 */
export function retentionFromEnvironment(name: string): number {
  const expectation = 'a whole number of days from 30 on, for an event may come again for 29 days';
  const retentionDays = Number(variableFrom(name, expectation));
  if (!Number.isInteger(retentionDays) || retentionDays < 30) throw new ConfigurationError(name, expectation);
  return retentionDays;
}
