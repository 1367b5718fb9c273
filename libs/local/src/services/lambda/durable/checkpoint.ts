import { durableLimits } from '@millrace/events/aws-limits';
import { invalidParameter } from '../lambda-errors.ts';
import { checkTransition, checkUpdates } from './check-updates.ts';
import type { Change, Execution, OperationRecord } from './execution-state.ts';
import { executionPayloadBytes } from './invocation-outcome.ts';
import { applyUpdate, type OperationUpdate, type UpdateContext } from './operation-updates.ts';

/** What a checkpoint changes. */
export interface CheckpointPlan {
  changes: Change[];
  /** The execution as it counts afterwards. */
  operations: number;
  bytes: number;
}

/**
 * Works out what a checkpoint changes, all of it or nothing.
 * https://docs.aws.amazon.com/lambda/latest/api/API_CheckpointDurableExecution.html
 *
 * @param records the operations, that of the execution first
 * @throws AwsError InvalidParameterValueException, ValidationException
 */
export function planCheckpoint(
  execution: Execution,
  records: ReadonlyMap<string, OperationRecord>,
  updates: readonly OperationUpdate[],
  surroundings: Pick<UpdateContext, 'now' | 'target'>,
): CheckpointPlan {
  checkUpdates(updates, executionPayloadBytes(execution.isAsynchronous));
  const after = new Map(records);
  const changes: Change[] = [];
  for (const update of updates) {
    const { ParentId } = update;
    // Whatever id it has, it is about this execution.
    const current = update.Type === 'EXECUTION' ? first(records) : after.get(update.Id);
    checkTransition(update, current?.operation, ParentId === undefined ? undefined : after.get(ParentId)?.operation);
    if (update.Type === 'EXECUTION') continue;
    const change = applyUpdate(update, current, {
      ...surroundings,
      executionArn: execution.arn,
      sequence: after.size,
    });
    after.set(update.Id, change.record);
    changes.push(change);
  }
  const retries = updates.filter(({ Action }) => Action === 'RETRY').length;
  const operations = execution.operations + after.size - records.size + retries;
  const bytes = updates.reduce((sum, update) => sum + sizeOf(update), execution.bytes);
  requireRoom(operations, bytes);
  return { changes, operations, bytes };
}

function first(records: ReadonlyMap<string, OperationRecord>): OperationRecord | undefined {
  const [record] = records.values();
  return record;
}

function sizeOf({ Payload = '', Error: error }: OperationUpdate): number {
  return Buffer.byteLength(Payload) + (error ? Buffer.byteLength(JSON.stringify(error)) : 0);
}

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
function requireRoom(operations: number, bytes: number): void {
  if (operations > durableLimits.operations) {
    throw invalidParameter(`Durable execution exceeded the limit of ${durableLimits.operations} operations.`);
  }
  if (bytes > durableLimits.bytes) {
    throw invalidParameter(`Durable execution exceeded the limit of ${durableLimits.bytes} bytes of storage.`);
  }
}
