import { documentClient } from '@millrace/event-store';
import { EventLog } from '@millrace/lineage';

/** The log in the table MILLRACE_TABLE. @throws Error when it is not set. */
export function eventLogFromEnvironment(tableName = process.env.MILLRACE_TABLE): EventLog {
  if (!tableName) throw new Error("MILLRACE_TABLE must be the name of the service's table");
  return new EventLog(documentClient(), tableName);
}
