import { ConfigurationError } from '@millrace/errors';
import type { EventLogOptions } from '@millrace/lineage';

/** How long events are kept: MILLRACE_RETENTION_DAYS. @throws ConfigurationError unless it is a number of days. */
export function retentionFromEnvironment(text = process.env.MILLRACE_RETENTION_DAYS): EventLogOptions {
  const retentionDays = Number(text);
  if (Number.isInteger(retentionDays) && retentionDays > 0) return { retentionDays };
  throw new ConfigurationError('MILLRACE_RETENTION_DAYS', 'a whole number of days, e.g. 365');
}
