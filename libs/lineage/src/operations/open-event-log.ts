import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { UsageError } from '@millrace/command-line';
import { clientConfiguration } from '@millrace/dead-letters/operations';
import { documentClient } from '@millrace/event-store';
import { EventLog } from '../event-log.ts';
import { findLineage, type Lineage } from '../find-lineage.ts';

/**
 * A stage's log, read with an operator's credentials.
 *
 * @param endpoint of the local runtime, otherwise AWS
 * @returns what finds lineages in it; it throws a UsageError when the stage has no log
 */
export function openEventLog(stage: string, endpoint?: string): (id: string) => Promise<Lineage | undefined> {
  const tableName = `millrace-event-log-${stage}`;
  const log = new EventLog(documentClient(new DynamoDBClient(clientConfiguration(endpoint))), tableName);
  return async (id) => {
    try {
      return await findLineage(log, id);
    } catch (error) {
      if ((error as Error).name !== 'ResourceNotFoundException') throw error;
      throw new UsageError(`There is no table ${tableName}: deploy services/event-log`);
    }
  };
}
