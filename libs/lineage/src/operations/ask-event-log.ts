import { UsageError } from '@millrace/command-line';
import { operatorDocumentClient } from '@millrace/dead-letters/operations';

import { EventLog } from '../event-log.ts';

/**
 * Asks a stage's log with an operator's credentials.
 *
 * @param endpoint of the local runtime, otherwise AWS
 * @param ask gets the log
 * @returns what `ask` returns
 * @throws UsageError when the stage has no log; what `ask` throws
 * @example
 * const lineage = await askEventLog('dev', endpoint, (log) => findLineage(log, orderId));
 */
export async function askEventLog<Answer>(
  stage: string,
  endpoint: string | undefined,
  ask: (log: EventLog) => Promise<Answer>,
): Promise<Answer> {
  const tableName = `millrace-event-log-${stage}`;
  const log = new EventLog(operatorDocumentClient(endpoint), tableName);
  try {
    return await ask(log);
  } catch (error) {
    if ((error as Error).name !== 'ResourceNotFoundException') throw error;
    throw new UsageError(`There is no table ${tableName}: deploy services/event-log`);
  }
}
