import type { ConditionalWrite } from './commit.ts';
import { ConcurrencyConflictError } from './errors.ts';
import type { ItemKey } from './read-items.ts';

/**
 * Writes a row with its next version, unless another writer was faster.
 *
 * @param row without its version
 * @param expectedVersion of the row as it was read; 0 for one that does not exist, or was written without a version
 * @param name what an error calls the row, for keys that belong in no log
 * @returns a write for `commit`, which throws ConcurrencyConflictError when the row is no longer at that version
 * @example await commit(client, [replaceRow(table.name, { ...key, views }, item?.version ?? 0)]);
 */
export function replaceRow(
  tableName: string,
  row: ItemKey & Record<string, unknown>,
  expectedVersion: number,
  name: string = row.pk,
): ConditionalWrite {
  return {
    write: {
      Put: {
        TableName: tableName,
        Item: { ...row, version: expectedVersion + 1 },
        ExpressionAttributeNames: { '#version': 'version' },
        ...(expectedVersion === 0
          ? { ConditionExpression: 'attribute_not_exists(#version)' }
          : {
              ConditionExpression: '#version = :expected',
              ExpressionAttributeValues: { ':expected': expectedVersion },
            }),
      },
    },
    onConditionFailed: (options) =>
      new ConcurrencyConflictError(`The row ${name} is no longer at version ${expectedVersion}`, options),
  };
}
