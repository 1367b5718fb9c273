import { tableFromEnvironment } from '@millrace/event-store';
import { EventLog } from '@millrace/lineage';

/** The log in the table MILLRACE_TABLE. @throws ConfigurationError when it is not set */
export function eventLogFromEnvironment(): EventLog {
  const { client, name } = tableFromEnvironment();
  return new EventLog(client, name);
}
